import { parseDuration } from '@authstate/spi'
import { DEFAULT_MAX_NOTES_BYTES } from '@authstate/spi/internal'
import * as v from 'valibot'

/** Sessions that a script touches at most, and a page holds at most. */
const CHUNK = 100

const wholeNumber = (least: number, most: number) =>
  v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(least), v.maxValue(most))
const spanMs = (least: number, most: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    wholeNumber(least, most),
  )
const limit = wholeNumber(1, CHUNK)

/** Properties of both providers. */
export const userSessionConfig = v.strictObject({
  /** Living online sessions that one user may have. @default no limit */
  maxSessionsPerUser: v.optional(limit),
  /** Living online sessions of one user that may have a living client session at one client. @default no limit */
  maxSessionsPerUserAndClient: v.optional(limit),
  /** Living offline sessions that one user may have. @default no limit */
  maxOfflineSessionsPerUser: v.optional(limit),
  /** Living sessions that one user may have in all, online and offline. @default no limit */
  maxTotalSessionsPerUser: v.optional(limit),
  /** What happens at a limit: the newcomer is refused (`reject`), or another session ends (`end-oldest`, `end-least-recently-used`). */
  limitPolicy: v.optional(v.picklist(['reject', 'end-oldest', 'end-least-recently-used']), 'reject'),
  /** Ceiling on the names and values of the notes of one session or client session, in bytes of UTF-8. */
  maxNotesBytes: v.optional(wholeNumber(0, 16 * 1024 * 1024), DEFAULT_MAX_NOTES_BYTES),
  /** Whether the values of notes are encrypted in Redis; needs a keyring. In memory nothing is at rest. */
  encryptNotes: v.optional(v.boolean(), false),
  /** Between two sweeps of what has expired; 0: this node does not sweep by itself. */
  sweepIntervalMs: v.optional(spanMs(0, 86_400_000), 30_000),
})

/** Properties of a provider, with defaults filled in. */
export type UserSessionConfig = v.InferOutput<typeof userSessionConfig>
