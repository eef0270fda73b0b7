import { parseDuration } from '@authstate/spi'
import * as v from 'valibot'
import type { WebSessionLimits } from './contract.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Longest span of the configuration: a century. */
const MAX_SPAN_MS = 36_525 * DAY_MS

const wholeNumber = (least: number, most: number) =>
  v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(least), v.maxValue(most))
const spanMs = (least: number, most: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    wholeNumber(least, most),
  )

/** Properties of both providers. */
export const webSessionConfig = v.strictObject({
  /** Ceiling on the life of a session; a longer one is refused. 400 days: the longest life that browsers give a cookie. */
  maxLifespanMs: v.optional(spanMs(1, MAX_SPAN_MS), 400 * DAY_MS),
  /** Ceiling on the JSON of a session's data. */
  maxDataBytes: v.optional(wholeNumber(2, 16 * 1024 * 1024), 262_144),
  /** How long at least what ended is refused: longer than any request takes that may still save it. */
  tombstoneMs: v.optional(spanMs(1_000, MAX_SPAN_MS), HOUR_MS),
})

/** Properties of a provider, with defaults filled in. */
export type WebSessionConfig = v.InferOutput<typeof webSessionConfig>

/** What a provider tells of its properties. */
export function limitsOf({ maxLifespanMs, maxDataBytes, tombstoneMs }: WebSessionConfig): WebSessionLimits {
  return Object.freeze({ maxLifespanMs, maxDataBytes, tombstoneMs })
}
