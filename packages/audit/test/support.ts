import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RecordingLogger } from '@authstate/conformance'
import { type AuthState, type AuthStateConfig, createAuthState } from 'authstate'
import { onTestFinished } from 'vitest'
import { until as waitUntil } from '../../../tools/servers/topology.mjs'
import { type AuditAction, type AuditEntry, type AuditProvider, auditSpi } from '../src/index.js'

export const keyring = { current: 'a', keys: { a: 'a secret of these tests, 32 bytes or more' } }
export const actor = { name: 'grace', via: 'api' } as const
export const ending: AuditAction = { actor, event: 'sessions.end', realm: 'acme' }

export type Config = Pick<AuthStateConfig, 'providers' | 'redis' | 'clock' | 'keyring'> & {
  readonly provider?: 'memory' | 'redis'
  readonly audit: object
}

/** A state with an audit; it is closed when the test is over. */
export async function opened({ audit: section, ...config }: Config) {
  const logger = new RecordingLogger()
  const realms = () => ({ bruteForce: { enabled: true, failureFactor: 3 } })
  const given = { keyring, logger, realms, ...config, spi: { audit: section } } as AuthStateConfig
  const state = await createAuthState(given)
  onTestFinished(() => state.close())
  return { state, audit: state.get(auditSpi), logger }
}

/** A folder for the time of a test. */
export async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'authstate-audit-'))
  onTestFinished(() => rm(made, { recursive: true, force: true }))
  return made
}

export const freshPrefix = (): string => `audit-${randomUUID()}`

/** All lines, the oldest first. */
export async function linesOf(audit: AuditProvider): Promise<readonly AuditEntry[]> {
  const lines: AuditEntry[] = []
  let cursor: string | undefined
  do {
    const page = await audit.read({ first: 'oldest', limit: 1_000, ...(cursor !== undefined && { cursor }) })
    lines.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  return lines
}

/** Waits for something that another process, or a reader, does. */
export const until = <T>(look: () => Promise<T | undefined | false>): Promise<NonNullable<T>> =>
  waitUntil('what another process does', look as () => Promise<T>, { timeoutMs: 50_000 })

export type { AuthState }
