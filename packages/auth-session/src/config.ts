import { DEFAULT_MAX_NOTES_BYTES } from '@authstate/spi/internal'
import * as v from 'valibot'

const DEFAULT_MAX_TABS = 300

/** Properties of both providers. */
export const authSessionConfig = v.strictObject({
  /** Logins under way in one browser, up to 1000; the oldest makes room. 0 or less is the default. */
  maxTabs: v.optional(
    v.pipe(
      v.number(),
      v.safeInteger('must be a whole number'),
      v.maxValue(1_000),
      v.transform((limit) => (limit > 0 ? limit : DEFAULT_MAX_TABS)),
    ),
    DEFAULT_MAX_TABS,
  ),
  /** Ceiling on the notes and execution statuses of one tab, names and values together, in bytes of UTF-8. */
  maxNotesBytes: v.optional(
    v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(1), v.maxValue(16 * 1024 * 1024)),
    DEFAULT_MAX_NOTES_BYTES,
  ),
})

/** Properties of a provider, with defaults filled in. */
export type AuthSessionConfig = v.InferOutput<typeof authSessionConfig>
