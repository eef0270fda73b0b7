import { assertOptions, type Known } from '@authstate/spi'
import * as v from 'valibot'
import { type RealmCacheConfig, type RegionSettings, regionShape } from './config.js'
import type { RegionOptions } from './contract.js'

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

/** @see Keycloak: sizes of the realm, user, authorization and keys caches */
const WELL_KNOWN: Readonly<Record<string, Partial<RegionSettings>>> = {
  keys: { maxEntries: 1_000, maxIdleMs: 3_600_000 },
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
