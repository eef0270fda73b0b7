import fc from 'fast-check'
import { DEFAULT_POLICY, type Policy } from '../src/policy.js'

const spanMs = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 200_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 1_000, 60_000) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 31, Number.MAX_SAFE_INTEGER) },
)

/** Policies of every mode, with small factors so that histories reach their edges. */
export const policies: fc.Arbitrary<Policy> = fc.record({
  strategy: fc.constantFrom('LINEAR', 'MULTIPLE'),
  permanentLockout: fc.boolean(),
  maxTemporaryLockouts: fc.integer({ min: 0, max: 3 }),
  failureFactor: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant(30)),
  waitIncrementMs: spanMs,
  quickLoginCheckMs: spanMs,
  minimumQuickLoginWaitMs: spanMs,
  maxFailureWaitMs: spanMs,
  maxDeltaTimeMs: spanMs,
  maxSecondaryAuthFailures: fc.integer({ min: 0, max: 4 }),
})

/** Policies that only ever lock for a time, and not for being quick. */
export const temporaryPolicies: fc.Arbitrary<Policy> = policies.map((policy) => ({
  ...policy,
  permanentLockout: false,
  quickLoginCheckMs: 0,
  maxSecondaryAuthFailures: 0,
}))

export interface Happening {
  readonly type: 'failure' | 'success' | 'clear'
  /** After the one before; below 0 is a clock that was set back. */
  readonly afterMs: number
  /** How long before it is told the failure happened. */
  readonly agoMs: number
  readonly secondary: boolean
}

/** Mostly failures, at distances that meet the edges of a policy. */
export const histories = (policy: Policy): fc.Arbitrary<Happening[]> => {
  const edges = [
    policy.quickLoginCheckMs,
    policy.waitIncrementMs,
    policy.minimumQuickLoginWaitMs,
    policy.maxFailureWaitMs,
    policy.maxDeltaTimeMs,
  ].filter((span) => span < 10_000_000)
  const afterMs = fc.oneof(
    fc.integer({ min: 0, max: 3_000 }),
    fc.integer({ min: 0, max: 300_000 }),
    fc.constantFrom(
      ...[0, 1, 999, 1_000],
      ...edges,
      ...edges.map((span) => span + 1),
      ...edges.map((span) => Math.max(0, span - 1)),
    ),
    fc.integer({ min: -5_000, max: 0 }),
  )
  return fc.array(
    fc.record({
      type: fc.oneof(
        { weight: 12, arbitrary: fc.constant('failure' as const) },
        { weight: 1, arbitrary: fc.constant('success' as const) },
        { weight: 1, arbitrary: fc.constant('clear' as const) },
      ),
      afterMs,
      agoMs: fc.oneof(
        { weight: 5, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 90_000 }) },
      ),
      secondary: fc.boolean(),
    }),
    { minLength: 1, maxLength: 14 },
  )
}

export const policyOfTests = (changes: Partial<Policy> = {}): Policy => ({ ...DEFAULT_POLICY, ...changes })
