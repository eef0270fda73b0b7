import { assertOptions, type BruteForceSettings, type Known } from '@authstate/spi'
import { isUnchanged } from '@authstate/spi/internal'

/** Lock-out settings with every default filled in. */
export interface Policy {
  readonly strategy: 'LINEAR' | 'MULTIPLE'
  readonly permanentLockout: boolean
  readonly maxTemporaryLockouts: number
  readonly failureFactor: number
  readonly waitIncrementMs: number
  readonly quickLoginCheckMs: number
  readonly minimumQuickLoginWaitMs: number
  readonly maxFailureWaitMs: number
  readonly maxDeltaTimeMs: number
  readonly maxSecondaryAuthFailures: number
}

/** Keycloak's defaults. */
export const DEFAULT_POLICY: Policy = Object.freeze({
  strategy: 'MULTIPLE',
  permanentLockout: false,
  maxTemporaryLockouts: 0,
  failureFactor: 30,
  waitIncrementMs: 60_000,
  quickLoginCheckMs: 1_000,
  minimumQuickLoginWaitMs: 60_000,
  maxFailureWaitMs: 900_000,
  maxDeltaTimeMs: 43_200_000,
  maxSecondaryAuthFailures: 0,
})

const SETTINGS: Known<BruteForceSettings> = {
  enabled: true,
  strategy: true,
  permanentLockout: true,
  maxTemporaryLockouts: true,
  failureFactor: true,
  waitIncrementMs: true,
  quickLoginCheckMs: true,
  minimumQuickLoginWaitMs: true,
  maxFailureWaitMs: true,
  maxDeltaTimeMs: true,
  maxSecondaryAuthFailures: true,
}

/**
 * Reads the lock-out settings of a realm. Absent ones take Keycloak's defaults.
 *
 * @param place What the settings are called in an error: `'realms(realmId).bruteForce'`.
 * @returns `undefined` when the realm is not protected
 * @throws {RangeError} a negative setting, or a factor of 0
 * @throws {TypeError} a setting of the wrong type, or one that is unknown
 */
export function policyOf(settings: BruteForceSettings, place: string): Policy | undefined {
  assertOptions(settings, place, SETTINGS)
  const read = (name: keyof BruteForceSettings & keyof Policy, least: number): number => {
    const value: unknown = settings[name] ?? DEFAULT_POLICY[name]
    if (typeof value !== 'number' || Number.isNaN(value)) {
      throw new TypeError(`"${place}.${name}" must be a number`)
    }
    if (value < least) {
      throw new RangeError(`"${place}.${name}" must be ${least} or more, got ${value}`)
    }
    return Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER)
  }
  const strategy = settings.strategy ?? DEFAULT_POLICY.strategy
  if (strategy !== 'LINEAR' && strategy !== 'MULTIPLE') {
    throw new TypeError(`"${place}.strategy" must be one of 'LINEAR', 'MULTIPLE'`)
  }
  const policy: Policy = {
    strategy,
    permanentLockout: flag(settings.permanentLockout, `${place}.permanentLockout`),
    maxTemporaryLockouts: read('maxTemporaryLockouts', 0),
    failureFactor: read('failureFactor', 1),
    waitIncrementMs: read('waitIncrementMs', 0),
    quickLoginCheckMs: read('quickLoginCheckMs', 0),
    minimumQuickLoginWaitMs: read('minimumQuickLoginWaitMs', 0),
    maxFailureWaitMs: read('maxFailureWaitMs', 0),
    maxDeltaTimeMs: read('maxDeltaTimeMs', 0),
    maxSecondaryAuthFailures: read('maxSecondaryAuthFailures', 0),
  }
  return flag(settings.enabled, `${place}.enabled`) ? policy : undefined
}

/** {@link policyOf}, once for settings that are the same object and say the same. */
export class KnownPolicies {
  readonly #read = new WeakMap<
    BruteForceSettings,
    { readonly given: Readonly<Record<string, unknown>>; readonly policy: Policy | undefined }
  >()

  of(settings: BruteForceSettings, place: string): Policy | undefined {
    const before = this.#read.get(settings)
    if (before !== undefined && isUnchanged(settings, before.given)) return before.policy
    const policy = policyOf(settings, place)
    this.#read.set(settings, { given: { ...settings }, policy })
    return policy
  }
}

function flag(value: unknown, name: string): boolean {
  if (value === undefined || value === null) return false
  if (typeof value !== 'boolean') throw new TypeError(`"${name}" must be true or false`)
  return value
}

/** Permanent lock-out at the factor, without temporary ones before it: failures are never reset by time. */
export function isPurePermanent(policy: Policy): boolean {
  return policy.permanentLockout && policy.maxTemporaryLockouts === 0
}

const texts = new WeakMap<Policy, string>()

/** A policy as one argument of a script: ten of them would cost more than what the script does with them. */
export function policyText(policy: Policy): string {
  const known = texts.get(policy)
  if (known !== undefined) return known
  const usual = `${policy.failureFactor} ${policy.quickLoginCheckMs} ${policy.maxDeltaTimeMs}`
  const kind = `${policy.permanentLockout ? 1 : 0} ${policy.strategy === 'LINEAR' ? 'L' : 'M'} ${policy.maxTemporaryLockouts}`
  const waits = `${policy.waitIncrementMs} ${policy.minimumQuickLoginWaitMs} ${policy.maxFailureWaitMs}`
  const text = `${usual} ${kind} ${waits} ${policy.maxSecondaryAuthFailures}`
  texts.set(policy, text)
  return text
}

/** The same policy, stricter, for one node that counts alone and forgets: fewer failures, only temporary locks. */
export function stricterPolicy(policy: Policy, failureFactor: number): Policy {
  const waitIncrementMs = Math.max(policy.waitIncrementMs, DEFAULT_POLICY.waitIncrementMs)
  return {
    ...policy,
    failureFactor: Math.min(policy.failureFactor, failureFactor),
    permanentLockout: false,
    maxTemporaryLockouts: 0,
    waitIncrementMs,
    maxFailureWaitMs: Math.max(policy.maxFailureWaitMs, waitIncrementMs),
    maxDeltaTimeMs: Math.max(policy.maxDeltaTimeMs, waitIncrementMs),
  }
}
