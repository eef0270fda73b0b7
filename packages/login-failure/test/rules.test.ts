import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { simulate } from '../src/index.js'
import { KnownPolicies, type Policy, policyOf, stricterPolicy } from '../src/policy.js'
import {
  applyFailure,
  attemptsLeft,
  type FailureState,
  isLocked,
  isPermanentlyLocked,
  lockOf,
  NEVER,
  NO_FAILURES,
} from '../src/rules.js'
import { histories, policies, policyOfTests, temporaryPolicies } from './arbitraries.js'

const failure = (at: number, secondary = false) => ({ at, ip: '', secondary })

/** Failures far enough apart that none is quick and each is made when the lock before it has ended. */
function waitsAfter(policy: Policy, count: number): number[] {
  let state = NO_FAILURES
  let at = 1_000_000
  return Array.from({ length: count }, () => {
    const step = applyFailure(state, policy, failure(at))
    expect(step.counted).toBe(true)
    state = step.state
    const waitMs = Math.max(0, state.lockedUntil - at)
    at = Math.max(at, state.lockedUntil) + 1_001
    return waitMs / 1_000
  })
}

describe('B5: how long a failure locks', () => {
  const defaults = { maxDeltaTimeMs: Number.MAX_SAFE_INTEGER }
  const testRealm = { ...defaults, failureFactor: 2, waitIncrementMs: 20_000, maxFailureWaitMs: 100_000 }
  test.each([
    [
      'MULTIPLE',
      defaults,
      { 1: 0, 28: 0, 29: 0, 30: 60, 31: 60, 44: 60, 45: 60, 59: 60, 60: 120, 90: 180, 450: 900, 480: 900 },
    ],
    [
      'LINEAR',
      defaults,
      {
        1: 0,
        28: 0,
        29: 0,
        30: 60,
        31: 120,
        44: 900,
        45: 900,
        59: 900,
        60: 900,
        90: 900,
        450: 900,
        480: 900,
      },
    ],
    ['MULTIPLE', testRealm, { 1: 0, 2: 20, 3: 20, 4: 40, 5: 40, 6: 60, 7: 60, 10: 100, 12: 100 }],
    ['LINEAR', testRealm, { 1: 0, 2: 20, 3: 40, 4: 60, 5: 80, 6: 100, 7: 100, 10: 100, 12: 100 }],
  ] as const)('%s %o', (strategy, settings, expected) => {
    const waits = waitsAfter(policyOfTests({ ...settings, strategy }), 480)
    for (const [count, wait] of Object.entries(expected))
      expect(waits[Number(count) - 1], `failure ${count}`).toBe(wait)
  })

  test('quick login: 999 ms apart locks for minimumQuickLoginWaitMs and is no lock-out, 1000 ms apart does not', () => {
    const first = applyFailure(NO_FAILURES, policyOfTests(), failure(5_000))
    expect(first.newLock).toBe('')
    const quick = applyFailure(first.state, policyOfTests(), failure(5_999))
    expect(quick).toMatchObject({
      newLock: 'temporary',
      state: { reason: 'quick-login', lockedUntil: 65_999, numTemporaryLockouts: 0 },
    })
    expect(applyFailure(first.state, policyOfTests(), failure(6_000)).newLock).toBe('')
  })

  test('reset: at maxDeltaTimeMs exactly nothing is reset, a millisecond later everything is', () => {
    const before = {
      ...NO_FAILURES,
      numFailures: 5,
      numTemporaryLockouts: 2,
      lastFailureAt: 1,
      expiresAt: NEVER,
    }
    const policy = policyOfTests({ maxDeltaTimeMs: 60_000 })
    expect(applyFailure(before, policy, failure(60_001)).state).toMatchObject({
      numFailures: 6,
      numTemporaryLockouts: 2,
    })
    expect(applyFailure(before, policy, failure(60_002)).state).toMatchObject({
      numFailures: 1,
      numTemporaryLockouts: 0,
    })
  })
})

describe('properties of the policy', () => {
  const runs = { numRuns: 2_000 }

  test('never locks below the factor', () => {
    fc.assert(
      fc.property(temporaryPolicies, fc.array(fc.nat(100_000), { maxLength: 40 }), (policy, gaps) => {
        let [state, at] = [NO_FAILURES, 1]
        for (const gap of gaps) {
          at += gap
          const step = applyFailure(state, policy, failure(at))
          if (step.newLock !== '') expect(step.state.numFailures).toBeGreaterThanOrEqual(policy.failureFactor)
          state = step.state
        }
      }),
      runs,
    )
  })

  test('a temporary lock never lasts longer than maxFailureWaitMs, outside purely permanent mode', () => {
    fc.assert(
      fc.property(
        policies.chain((policy) => fc.tuple(fc.constant(policy), histories(policy))),
        ([policy, history]) => {
          if (policy.permanentLockout && policy.maxTemporaryLockouts === 0) return
          let [state, at] = [NO_FAILURES, 1_000_000]
          for (const { afterMs, secondary } of history) {
            at += afterMs
            const step = applyFailure(state, policy, failure(at, secondary))
            if (step.newLock === 'temporary')
              expect(step.state.lockedUntil - at).toBeLessThanOrEqual(policy.maxFailureWaitMs)
            state = step.state
          }
        },
      ),
      runs,
    )
  })

  test('more failures never lock for less', () => {
    fc.assert(
      fc.property(temporaryPolicies, fc.nat(200), fc.nat(50), (policy, count, more) => {
        const lockedFor = (numFailures: number) =>
          applyFailure({ ...NO_FAILURES, numFailures, lastFailureAt: 1 }, policy, failure(1)).state
            .lockedUntil
        expect(lockedFor(count + more)).toBeGreaterThanOrEqual(lockedFor(count))
      }),
      runs,
    )
  })

  test('a stricter policy never allows more', () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 10 }), fc.nat(40), (policy, factor, numFailures) => {
        if (policy.maxFailureWaitMs === 0 || policy.permanentLockout) return
        const state = { ...NO_FAILURES, numFailures, lastFailureAt: 1 }
        const strict = stricterPolicy(policy, factor)
        expect(attemptsLeft(state, strict, 100_000, false)).toBeLessThanOrEqual(
          attemptsLeft(state, policy, 100_000, false),
        )
        expect(strict).toMatchObject({ permanentLockout: false })
      }),
      runs,
    )
  })

  test('an attempt while locked changes nothing, a lock is never shortened, a permanent one never ends', () => {
    fc.assert(
      fc.property(
        policies.chain((policy) => fc.tuple(fc.constant(policy), histories(policy))),
        ([policy, history]) => {
          let [state, at] = [NO_FAILURES, 1_000_000]
          for (const { afterMs, secondary } of history) {
            at += afterMs
            const wasLocked = isLocked(state, policy, at)
            const wasPermanent = isPermanentlyLocked(state, policy)
            const { state: next, counted } = applyFailure(state, policy, failure(at, secondary))
            expect(counted).toBe(!wasLocked)
            if (wasLocked) expect(next).toBe(state)
            if (state.lockedUntil > at) expect(next.lockedUntil).toBe(state.lockedUntil)
            if (wasPermanent) expect(isPermanentlyLocked(next, policy)).toBe(true)
            expect(next.expiresAt).toBeGreaterThanOrEqual(next.lockedUntil)
            state = next
          }
        },
      ),
      runs,
    )
  })

  test('attemptsLeft is how many failures at one instant it takes until one locks', () => {
    const seen = new Set<number>()
    fc.assert(
      fc.property(
        policies.chain((policy) => fc.tuple(fc.constant(policy), histories(policy), fc.boolean())),
        ([policy, history, secondary]) => {
          let [state, at] = [NO_FAILURES, 1_000_000]
          for (const { afterMs, secondary: other } of history) {
            at += afterMs
            const left = attemptsLeft(state, policy, at, secondary)
            expect(left).toBe(failuresUntilLocked(state, policy, at, secondary))
            seen.add(left)
            state = applyFailure(state, policy, failure(at, other)).state
          }
        },
      ),
      { numRuns: 5_000 },
    )
    expect([...seen]).toEqual(expect.arrayContaining([0, 1, 2, 3, 29, Number.POSITIVE_INFINITY]))
  })
})

/** By trying. `Infinity` when forty were not enough: every factor and limit above is lower. */
function failuresUntilLocked(from: FailureState, policy: Policy, at: number, secondary: boolean): number {
  let state = from
  for (let count = 0; count <= 60; count++) {
    if (isLocked(state, policy, at)) return count
    state = applyFailure(state, policy, failure(at, secondary)).state
  }
  return Number.POSITIVE_INFINITY
}

describe('policyOf', () => {
  const place = 'realms(realmId).bruteForce'

  test("fills in Keycloak's defaults (§11.2), and is off unless enabled", () => {
    expect(policyOf({}, place)).toBeUndefined()
    expect(policyOf({ enabled: true }, place)).toEqual({
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
  })

  test('a wrong setting is found also while the protection is off', () => {
    expect(() => policyOf({ waitIncrementMs: -1 }, place)).toThrow(/waitIncrementMs" must be 0 or more/)
  })

  test.each([
    [{ strategy: 'SQUARE' }, /strategy/],
    [{ enabled: 'yes' }, /enabled/],
    [{ permanentLockout: 1 }, /permanentLockout/],
    [{ failureFactor: '3' }, /failureFactor/],
    [{ maxDeltaTimeMs: 5n }, /maxDeltaTimeMs/],
  ])('%o is a TypeError', (settings, message) => {
    expect(() => policyOf(settings as never, place)).toThrow(TypeError)
    expect(() => policyOf(settings as never, place)).toThrow(message)
  })

  test('absent, null and huge settings', () => {
    const settings = {
      enabled: true,
      failureFactor: undefined,
      waitIncrementMs: null,
      maxFailureWaitMs: Number.POSITIVE_INFINITY,
    }
    expect(policyOf(settings as never, place)).toMatchObject({
      failureFactor: 30,
      waitIncrementMs: 60_000,
      maxFailureWaitMs: Number.MAX_SAFE_INTEGER,
    })
    expect(policyOf({ enabled: true, failureFactor: 2.9 }, place)?.failureFactor).toBe(2)
  })
})

describe('lockOf', () => {
  test('a clock at 0 still knows a permanent lock', () => {
    const policy = policyOfTests({ permanentLockout: true, failureFactor: 1 })
    const { state } = applyFailure(NO_FAILURES, policy, failure(0))
    expect(lockOf(state, policy, 0, 'user')).toMatchObject({ locked: true, permanent: true })
  })
})

describe('simulate', () => {
  const settings = { failureFactor: 2, waitIncrementMs: 20_000, maxDeltaTimeMs: 60_000 }

  test('plays a history: the numbers of §11.3', () => {
    const history = [0, 1, 5, 30, 61].map(
      (second) => ({ type: 'failure', at: 1_000_000 + second * 1_000 }) as const,
    )
    const short = (strategy: 'LINEAR' | 'MULTIPLE') =>
      simulate({ ...settings, strategy }, history).map(({ accepted, locked, until, newlyLocked }) => [
        accepted,
        locked,
        until === undefined ? undefined : (until - 1_000_000) / 1_000,
        newlyLocked,
      ])
    expect(short('MULTIPLE')).toEqual([
      [true, false, undefined, false],
      [true, true, 21, true],
      [false, true, 21, false],
      [true, true, 50, true],
      [true, true, 101, true],
    ])
    expect(short('LINEAR')).toEqual([
      [true, false, undefined, false],
      [true, true, 21, true],
      [false, true, 21, false],
      [true, true, 70, true],
      [false, true, 70, false],
    ])
  })

  test('successes, clears, second factors and the end of a record', () => {
    const at = (second: number) => 1_000_000 + second * 1_000
    const steps = simulate({ ...settings, maxSecondaryAuthFailures: 1 }, [
      { type: 'failure', at: at(0) },
      { type: 'success', at: at(1) },
      { type: 'failure', at: at(2) },
      { type: 'failure', at: at(62) },
      { type: 'failure', at: at(70) },
      { type: 'success', at: at(71) },
      { type: 'clear', at: at(72) },
      { type: 'failure', at: at(73), category: 'otp' },
      { type: 'success', at: at(74) },
      { type: 'failure', at: at(75), category: 'otp' },
      { type: 'success', at: at(76), category: 'otp' },
    ])
    expect(steps.map(({ failure }) => failure?.numFailures)).toEqual([
      1,
      undefined,
      1,
      1,
      2,
      2,
      undefined,
      1,
      1,
      2,
      2,
    ])
    expect(steps.map(({ accepted }) => accepted)).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      true,
      true,
      true,
      true,
      false,
    ])
    expect(steps[9]).toMatchObject({ permanent: true, reason: 'secondary-auth-failures', newlyLocked: true })
  })

  test('refuses what a realm could not have', () => {
    expect(() => simulate({ failureFactor: 0 }, [])).toThrow('"settings.failureFactor" must be 1 or more')
  })

  test.each<[string, Record<string, unknown>]>([
    ['at', { at: Number.NaN }],
    ['at', { at: 0 }],
    ['at', { at: 1.5 }],
    ['at', { at: '1' }],
    ['at', { at: undefined }],
    ['category', { category: 'sms' }],
    ['type', { type: 'logout' }],
  ])('refuses an event that is none: %s %o', (name, wrong) => {
    const history = [{ type: 'failure', at: 1, ...wrong }] as never
    expect(() => simulate({}, history)).toThrow(`"history[0].${name}"`)
  })
})

test('settings of a realm are read once, and again when something in them has changed', () => {
  const known = new KnownPolicies()
  const settings: { enabled: boolean; failureFactor?: number } = { enabled: true }
  const first = known.of(settings, 'bruteForce')
  expect(first).toMatchObject({ failureFactor: 30 })
  expect(known.of(settings, 'bruteForce')).toBe(first)
  settings.failureFactor = 3
  expect(known.of(settings, 'bruteForce')).toMatchObject({ failureFactor: 3 })
  settings.enabled = false
  expect(known.of(settings, 'bruteForce')).toBe(undefined)
  settings.failureFactor = -1
  expect(() => known.of(settings, 'bruteForce')).toThrow(
    '"bruteForce.failureFactor" must be 1 or more, got -1',
  )
})
