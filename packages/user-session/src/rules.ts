import { DEFAULT_MAX_NOTES_BYTES, parseDuration } from '@authstate/spi'
import { z } from 'zod'

/** Sessions that a script touches at most, and a page holds at most. */
export const CHUNK = 100

const limit = z.int().min(1).max(CHUNK)

/** Properties of both providers. */
export const userSessionConfig = z.strictObject({
  /** Living online sessions that one user may have. */
  maxSessionsPerUser: limit.optional(),
  /** Living online sessions of one user that may have a living client session at one client. */
  maxSessionsPerUserAndClient: limit.optional(),
  /** Living offline sessions that one user may have. */
  maxOfflineSessionsPerUser: limit.optional(),
  /** Living sessions that one user may have in all, online and offline. */
  maxTotalSessionsPerUser: limit.optional(),
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
