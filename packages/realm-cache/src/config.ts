import { parseDuration } from '@authstate/spi'
import * as v from 'valibot'

const HOUR_MS = 3_600_000
const MAX_SPAN_MS = 365 * 24 * HOUR_MS

/** Longest life of a value in the second level. */
export const MAX_SECOND_LEVEL_MS = 24 * HOUR_MS

/** Longest a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1

const wholeNumber = (least: number, most: number) =>
  v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(least), v.maxValue(most))
const spanMs = (least: number, most: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    wholeNumber(least, most),
  )

const regionName = v.pipe(v.string(), v.minLength(1), v.maxLength(512))

/** Names that a schema passes over without a word, since they mean something else to an object. */
const hasUsableNames = (regions: unknown): boolean =>
  typeof regions !== 'object' ||
  regions === null ||
  !Object.getOwnPropertyNames(regions).some((name) =>
    ['__proto__', 'prototype', 'constructor'].includes(name),
  )

export const regionShape = {
  maxEntries: wholeNumber(1, 10_000_000),
  maxIdleMs: spanMs(0, MAX_SPAN_MS),
  ttlMs: spanMs(0, MAX_SPAN_MS),
  negativeTtlMs: spanMs(0, MAX_SPAN_MS),
  jitter: v.pipe(v.number(), v.minValue(0), v.maxValue(0.5)),
  loadTimeoutMs: spanMs(1, MAX_TIMER_MS),
  softTimeoutMs: spanMs(0, MAX_TIMER_MS),
  staleIfErrorMs: spanMs(0, MAX_SPAN_MS),
  clusterSingleFlight: v.boolean(),
  dependencies: v.pipe(v.array(regionName), v.maxLength(64)),
  secondLevelTtlMs: spanMs(0, MAX_SECOND_LEVEL_MS),
  enabled: v.boolean(),
}

/** `RegionOptions` with every default filled in. */
export type RegionSettings = {
  readonly [Name in keyof typeof regionShape]: v.InferOutput<(typeof regionShape)[Name]>
}

/** Properties of both providers. */
export const realmCacheConfig = v.strictObject({
  /** By name of a region: `maxEntries`, `ttlMs`, `maxIdleMs`, `enabled`, … Wins over what code asks for. */
  regions: v.optional(
    v.pipe(
      v.unknown(),
      v.check(hasUsableNames, 'no region can be called __proto__, prototype or constructor'),
      v.record(regionName, v.partial(v.strictObject(regionShape))),
    ),
    {},
  ),
  /** How often values whose time is over are taken out of memory, read or not. */
  sweepEveryMs: v.optional(spanMs(1, MAX_TIMER_MS), 60_000),
  /**
   * The staleness bound: how long a node trusts what it keeps without having heard the work channel. Above twice the
   * cluster's `readWaitMs`, which is how seldom a quiet channel is heard. In memory there is no other node to hear.
   */
  maxSilenceMs: v.optional(spanMs(1, MAX_SPAN_MS), 5_000),
})

/** Properties of a provider, with defaults filled in. */
export type RealmCacheConfig = v.InferOutput<typeof realmCacheConfig>
