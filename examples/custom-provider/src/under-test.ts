// What is tested, for the command and for the runners: npx @authstate/conformance ./under-test.js
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ActionTokenProvider, actionTokenSpi } from '@authstate/action-token'
import type { ConformanceEntry, ProviderDescription } from '@authstate/conformance'
import { type LoginFailureProvider, loginFailureSpi } from '@authstate/login-failure'
import { NEVER } from '@authstate/login-failure/store'
import { type UserSessionProvider, userSessionSpi } from '@authstate/user-session'
import Database from 'libsql'
import { sqliteActionTokens } from './sqlite-action-tokens.js'
import { sqliteLoginFailures } from './sqlite-login-failures.js'
import { sqliteUserSessions } from './sqlite-user-sessions.js'
import { trustedDeviceSuite } from './trusted-device/conformance.js'
import { trustedDeviceSpi } from './trusted-device/contract.js'
import { memoryTrustedDevices } from './trusted-device/memory.js'

/** Each case gets a file of its own, and every node of it opens that file. */
const openFile = (...tables: string[]) => {
  const folder = mkdtempSync(join(tmpdir(), 'custom-provider-'))
  const file = join(folder, 'state.db')
  return {
    properties: { file },
    size: () => rowsIn(file, tables),
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Expired rows, too: the kit finds out whether they become ever more. Not what never ends, such as a lock for good. */
function rowsIn(file: string, tables: readonly string[]): number {
  const database = new Database(file)
  try {
    const counts = tables.map((table) => `(SELECT count(*) FROM ${table})`)
    const [row] = database.prepare(`SELECT ${counts.join(' + ')} AS rows`).all() as { rows: number }[]
    return row?.rows ?? 0
  } finally {
    database.close()
  }
}

export const sqliteTokens = {
  spi: actionTokenSpi,
  name: 'sqlite',
  factories: [sqliteActionTokens()],
  openStore: () => openFile('tokens', 'marks'),
} satisfies ProviderDescription<ActionTokenProvider>

export const sqliteFailures = {
  spi: loginFailureSpi,
  name: 'sqlite',
  factories: [sqliteLoginFailures()],
  openStore: () => openFile(`failures WHERE expiresAt < ${NEVER}`, 'attempts'),
} satisfies ProviderDescription<LoginFailureProvider>

export const sqliteSessions = {
  spi: userSessionSpi,
  name: 'sqlite',
  factories: [sqliteUserSessions()],
  openStore: () => openFile('sessions', 'listings', 'memos'),
} satisfies ProviderDescription<UserSessionProvider>

/** The store is in the provider: all nodes of a case are one. */
export const memory = {
  spi: trustedDeviceSpi,
  name: 'memory',
  factories: [memoryTrustedDevices()],
  nodes: 'one',
} as const

export const targets: readonly ConformanceEntry[] = [
  sqliteTokens,
  sqliteFailures,
  sqliteSessions,
  { ...memory, suite: trustedDeviceSuite },
]
