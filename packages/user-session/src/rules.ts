import { DEFAULT_MAX_NOTES_BYTES, parseDuration } from '@authstate/spi'
import { z } from 'zod'
import type { RefusalReason } from './contract.js'

/** Sessions that a script touches at most, and a page holds at most. */
export const CHUNK = 100

const limit = z.int().min(1).max(CHUNK)

/** Properties of both providers. */
export const userSessionConfig = z.strictObject({
  /** Living online sessions that one user may have. */
  maxSessionsPerUser: limit.optional(),
  /** Living online sessions of one user that may have a living client session at one client. */
  maxSessionsPerUserAndClient: limit.optional(),
  /** What happens at a limit: the newcomer is refused, or another session ends. */
  limitPolicy: z.enum(['reject', 'end-oldest', 'end-least-recently-used']).default('reject'),
  /** Ceiling on the names and values of the notes of one session or client session, in bytes of UTF-8. */
  maxNotesBytes: z
    .int()
    .min(0)
    .max(16 * 1024 * 1024)
    .default(DEFAULT_MAX_NOTES_BYTES),
  /** Whether the values of notes are encrypted where they are stored; needs a keyring. Nothing is where nothing is at rest. */
  encryptNotes: z.boolean().default(false),
  /** Between two sweeps of what has expired; 0: this node does not sweep by itself. */
  sweepIntervalMs: z.preprocess(parseDuration, z.int().min(0).max(86_400_000)).default(30_000),
})

/** Properties of a provider, with defaults filled in. */
export type UserSessionConfig = z.output<typeof userSessionConfig>

/** The limits of a configuration as a step that adds a session needs them. */
export interface Limits {
  readonly perUser: number
  readonly perClient: number
  readonly policy: UserSessionConfig['limitPolicy']
}

export function limitsOf(config: UserSessionConfig): Limits {
  return {
    perUser: config.maxSessionsPerUser ?? 0,
    perClient: config.maxSessionsPerUserAndClient ?? 0,
    policy: config.limitPolicy,
  }
}

/** A living session that counts towards a limit. */
export interface Rival {
  readonly id: string
  readonly startedAt: number
  readonly lastRefreshAt: number
}

/**
 * Which sessions end so that one more fits.
 *
 * @param allowed Sessions there may be, the newcomer included; 0: any number.
 * @returns `undefined`: the newcomer is refused.
 */
export function makeRoom(
  rivals: readonly Rival[],
  allowed: number,
  policy: Limits['policy'],
): readonly Rival[] | undefined {
  const excess = rivals.length - allowed + 1
  if (allowed === 0 || excess <= 0) return []
  if (policy === 'reject') return undefined
  const age = policy === 'end-oldest' ? 'startedAt' : 'lastRefreshAt'
  return [...rivals].sort((a, b) => a[age] - b[age] || (a.id < b.id ? -1 : 1)).slice(0, excess)
}

/** A step that creates, as one of the stores answers it. */
export type Refusable<T> = T | { readonly refused: RefusalReason }
