// What is tested, for the command and for the runners: npx @authstate/conformance ./under-test.js
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ActionTokenProvider, actionTokenSpi } from '@authstate/action-token'
import type { ConformanceEntry, ProviderDescription } from '@authstate/conformance'
import Database from 'libsql'
import { sqliteActionTokens } from './sqlite-action-tokens.js'
import { trustedDeviceSuite } from './trusted-device/conformance.js'
import { trustedDeviceSpi } from './trusted-device/contract.js'
import { memoryTrustedDevices } from './trusted-device/memory.js'

/** Each case gets a file of its own, and every node of it opens that file. */
export const sqlite = {
  spi: actionTokenSpi,
  name: 'sqlite',
  factories: [sqliteActionTokens()],
  openStore: () => {
    const folder = mkdtempSync(join(tmpdir(), 'tokens-'))
    const file = join(folder, 'tokens.db')
    return {
      properties: { file },
      size: () => rowsIn(file),
      close: () => rmSync(folder, { recursive: true, force: true }),
    }
  },
} satisfies ProviderDescription<ActionTokenProvider>

/** Expired rows, too: the kit finds out whether they become ever more. */
function rowsIn(file: string): number {
  const database = new Database(file)
  try {
    const [row] = database
      .prepare('SELECT (SELECT count(*) FROM tokens) + (SELECT count(*) FROM marks) AS rows')
      .all() as { rows: number }[]
    return row?.rows ?? 0
  } finally {
    database.close()
  }
}

/** The store is in the provider: all nodes of a case are one. */
export const memory = {
  spi: trustedDeviceSpi,
  name: 'memory',
  factories: [memoryTrustedDevices()],
  nodes: 'one',
} as const

export const targets: readonly ConformanceEntry[] = [sqlite, { ...memory, suite: trustedDeviceSuite }]
