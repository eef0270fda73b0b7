import {
  assertFunction,
  assertKnown,
  assertName,
  assertNames,
  assertOptions,
  type Known,
  parseDuration,
} from '@authstate/spi'
import * as v from 'valibot'
import type { GetOptions, Invalidation, RegionOptions } from './contract.js'

const HOUR_MS = 3_600_000
const MAX_SPAN_MS = 365 * 24 * HOUR_MS

/** Longest life of a value in the second level. */
export const MAX_SECOND_LEVEL_MS = 24 * HOUR_MS

/** Longest a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1

const spanMs = (least: number, most: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    v.number(),
    v.integer('must be a whole number'),
    v.minValue(least),
    v.maxValue(most),
  )

const regionName = v.pipe(v.string(), v.minLength(1), v.maxLength(512))

/** Names that a schema passes over without a word, since they mean something else to an object. */
const hasUsableNames = (regions: unknown): boolean =>
  typeof regions !== 'object' ||
  regions === null ||
  !Object.getOwnPropertyNames(regions).some((name) =>
    ['__proto__', 'prototype', 'constructor'].includes(name),
  )

const regionShape = {
  maxEntries: v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(1), v.maxValue(10_000_000)),
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

/** {@link RegionOptions} with every default filled in. */
export type RegionSettings = {
  readonly [Name in keyof typeof regionShape]: v.InferOutput<(typeof regionShape)[Name]>
}

/** Properties of both providers. */
export const realmCacheConfig = v.strictObject({
  /** By name of the region; wins over what code asks for. */
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
   * cluster's `readWaitMs`, which is how seldom a quiet channel is heard. In memory there is nobody to hear.
   */
  maxSilenceMs: v.optional(spanMs(1, MAX_SPAN_MS), 5_000),
})

/** Properties of a provider, with defaults filled in. */
export type RealmCacheConfig = v.InferOutput<typeof realmCacheConfig>

const DEFAULTS: RegionSettings = {
  maxEntries: 10_000,
  maxIdleMs: 0,
  ttlMs: 0,
  negativeTtlMs: 0,
  jitter: 0,
  loadTimeoutMs: 30_000,
  softTimeoutMs: 0,
  staleIfErrorMs: 0,
  clusterSingleFlight: false,
  dependencies: [],
  secondLevelTtlMs: 0,
  enabled: true,
}

const REGION: Known<RegionOptions> = {
  maxEntries: true,
  maxIdleMs: true,
  ttlMs: true,
  negativeTtlMs: true,
  jitter: true,
  loadTimeoutMs: true,
  softTimeoutMs: true,
  staleIfErrorMs: true,
  clusterSingleFlight: true,
  dependencies: true,
  secondLevelTtlMs: true,
  enabled: true,
}
const GET: Known<GetOptions<unknown>> = { tags: true, ttlMs: true, isCurrent: true }
const INVALIDATION: Known<Extract<Invalidation, { readonly tag: unknown }>> = { tag: true, keys: true }

/** @see Keycloak: sizes of the realm, user, authorization and keys caches */
const WELL_KNOWN: Readonly<Record<string, Partial<RegionSettings>>> = {
  keys: { maxEntries: 1_000, maxIdleMs: HOUR_MS },
}

/**
 * What a region is made with: the configuration, else the caller's options, else the defaults.
 *
 * @throws {TypeError | RangeError} an option is unknown, of the wrong type or out of bounds; it is named
 */
export function regionSettings(
  name: string,
  options: RegionOptions,
  configured: RealmCacheConfig['regions'][string] | undefined,
): RegionSettings {
  assertOptions(options, 'options', REGION)
  const given: Record<string, unknown> = {}
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue
    const parsed = v.safeParse(regionShape[option as keyof typeof regionShape], value)
    if (!parsed.success) throw misuse(`options.${option}`, value, parsed.issues[0].message)
    given[option] = parsed.output
  }
  const overruled = Object.entries(configured ?? {}).filter(([, value]) => value !== undefined)
  const wellKnown = Object.hasOwn(WELL_KNOWN, name) ? WELL_KNOWN[name] : {}
  const settings = { ...DEFAULTS, ...wellKnown, ...given, ...Object.fromEntries(overruled) }
  if (settings.secondLevelTtlMs > 0 && settings.dependencies.length > 0) {
    throw new TypeError('"options.secondLevelTtlMs" and "options.dependencies" exclude each other')
  }
  return settings
}

function misuse(name: string, value: unknown, problem = 'is not valid'): Error {
  const message = `"${name}" is not valid: ${problem}`
  return typeof value === 'number' && !Number.isNaN(value) ? new RangeError(message) : new TypeError(message)
}

/** Revisions that decide whether a loaded value may be kept. */
export interface StoreDecision {
  /** Revision of the key now; `undefined` when it is not known any more. */
  readonly revision: number | undefined
  /** Revision of the key when the value was read. */
  readonly loaded: number
  /** Revision of the region when the unit of work, or the call, began. */
  readonly started: number
}

/**
 * Whether a value that was read at one revision may be kept now: only if nothing was declared untrue since the read,
 * nor since the reader's transaction began, whose snapshot may be older than the read.
 *
 * @see Keycloak behaviour, revisioned caches: the rules of `add`
 */
export function mayStore({ revision, loaded, started }: StoreDecision): boolean {
  return revision !== undefined && revision <= started && revision <= loaded
}

/** The end of a life that begins now: `Infinity` for none. A part of it is cut off at random, up to `jitter`. */
export function expiryOf(lifeMs: number, jitter: number, now: number, random: number): number {
  return lifeMs > 0 ? now + Math.max(1, Math.round(lifeMs * (1 - jitter * random))) : Number.POSITIVE_INFINITY
}

/** An {@link Invalidation} that was checked. */
export interface Untrue {
  readonly keys: readonly string[]
  readonly tags: readonly string[]
}

/** @throws {TypeError} it is neither a key, nor keys, nor tags */
export function checkInvalidation(what: Invalidation): Untrue {
  if (typeof what === 'string') {
    assertName(what, 'key')
    return { keys: [what], tags: [] }
  }
  if (Array.isArray(what)) return { keys: checkNames(what, 'keys'), tags: [] }
  assertKnown(what, 'keys', INVALIDATION)
  const { tag, keys = [] } = what as { tag?: unknown; keys?: unknown }
  return { keys: checkNames(keys, 'keys'), tags: checkNames(typeof tag === 'string' ? [tag] : tag, 'tag') }
}

export function checkNames(value: unknown, name: string): readonly string[] {
  assertNames(value, name)
  return value
}

/** Every load starts here. */
export function checkGet(key: unknown, load: unknown, options: unknown): void {
  assertName(key, 'key')
  assertFunction(load, 'load')
  if (options === undefined) return
  assertKnown(options, 'options', GET)
  const { tags, ttlMs, isCurrent } = options
  if (tags !== undefined && typeof tags !== 'function') assertNames(tags, 'tags')
  if (ttlMs !== undefined && typeof ttlMs !== 'function') checkTtl(ttlMs)
  if (isCurrent !== undefined) assertFunction(isCurrent, 'isCurrent')
}

/** @throws {TypeError} it is no number */
export function checkTtl(ttlMs: unknown): number {
  if (typeof ttlMs !== 'number' || Number.isNaN(ttlMs)) {
    throw new TypeError('"ttlMs" must be a number of milliseconds, or a function that gives one')
  }
  return ttlMs
}
