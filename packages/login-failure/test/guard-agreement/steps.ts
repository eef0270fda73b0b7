import type { FakeClock } from '@authstate/conformance'
import type { BruteForceSettings } from '@authstate/spi'
import fc from 'fast-check'
import type { FailureOptions } from '../../src/index.js'
import type { Side } from './side.js'

export const REALM = 'r'
export const USERS = ['alice', '__proto__'] as const
export const ADDRESSES = ['203.0.113.7', '2001:db8::1'] as const
const NAMES = ['nobody', 'constructor'] as const

export interface World {
  readonly clock: FakeClock
  readonly realm: { bruteForce: BruteForceSettings }
}

/** Something that happens to both stores. */
export interface Step {
  readonly name: string
  /** What changes around the stores first. */
  readonly before?: (world: World) => void
  readonly run: (side: Side, world: World) => unknown
}

const user = fc.constantFrom('alice', 'alice', '__proto__')
const username = fc.option(fc.constantFrom(...NAMES), { nil: undefined })
const ip = fc.option(fc.constantFrom(...ADDRESSES), { nil: undefined })
const category = fc.constantFrom('password', 'password', 'otp', undefined)

function step<T>(what: string, arbitrary: fc.Arbitrary<T>, run: (args: T) => Step['run']) {
  return arbitrary.map((args): Step => named(`${what} ${JSON.stringify(args)}`, { run: run(args) }))
}

function change<T>(what: string, arbitrary: fc.Arbitrary<T>, before: (args: T, world: World) => void) {
  return arbitrary.map(
    (args): Step =>
      named(`${what} ${JSON.stringify(args)}`, {
        before: (world) => before(args, world),
        run: () => undefined,
      }),
  )
}

/** A counterexample shows the names. */
const named = (name: string, rest: Omit<Step, 'name'>): Step =>
  Object.assign({ name, toString: () => name }, rest)

// The server counts a life down by its own clock, so no life is so short that it could end while a history runs.
const span = fc.constantFrom(20_000, 60_000, 90_000, 900_000)

const settings: fc.Arbitrary<BruteForceSettings> = fc.record({
  enabled: fc.constantFrom(true, true, true, true, false),
  strategy: fc.constantFrom('LINEAR', 'MULTIPLE'),
  permanentLockout: fc.boolean(),
  maxTemporaryLockouts: fc.nat(2),
  failureFactor: fc.constantFrom(1, 2, 2, 3, 5),
  waitIncrementMs: span,
  quickLoginCheckMs: fc.constantFrom(0, 0, 1_000),
  minimumQuickLoginWaitMs: span,
  maxFailureWaitMs: span,
  maxDeltaTimeMs: span,
  maxSecondaryAuthFailures: fc.nat(2),
})

const attempt = fc.record({ user, ip, category })

const steps: readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> }[] = [
  {
    weight: 10,
    arbitrary: step('guard', attempt, ({ user, ...options }) => (side) => {
      side.begin((provider, verify) => provider.guard(REALM, user, options, verify))
    }),
  },
  {
    weight: 4,
    arbitrary: step('guardUnknownUser', fc.record({ username, ip }), (options) => (side) => {
      side.begin((provider, verify) => provider.guardUnknownUser(REALM, options, verify))
    }),
  },
  {
    weight: 14,
    arbitrary: step(
      'end',
      fc.record({
        number: fc.nat(4),
        ending: fc.constantFrom('right', 'wrong', 'wrong', 'wrong', 'broken'),
      }),
      ({ number, ending }) =>
        (side) =>
          side.end(number, ending),
    ),
  },
  {
    weight: 6,
    arbitrary: step(
      'recordFailure',
      fc.record({ user, ip, category, ago: fc.constantFrom(undefined, undefined, 0, 500, 30_000, -5_000) }),
      ({ user, ago, ...rest }) =>
        ({ provider }, { clock }) => {
          const options: FailureOptions = { ...rest, at: ago === undefined ? ago : clock.now() - ago }
          return provider.recordFailure(REALM, user, options)
        },
    ),
  },
  {
    weight: 1,
    arbitrary: step(
      'recordUnknownUser',
      fc.record({ ip }),
      (options) =>
        ({ provider }) =>
          provider.recordUnknownUser(REALM, options),
    ),
  },
  {
    weight: 3,
    arbitrary: step(
      'recordSuccess',
      fc.record({ user, category }),
      ({ user, category }) =>
        ({ provider }) =>
          provider.recordSuccess(REALM, user, { category }),
    ),
  },
  {
    weight: 2,
    arbitrary: step(
      'check',
      fc.record({ user, ip }),
      ({ user, ip }) =>
        ({ provider }) =>
          provider.check(REALM, user, { ip }),
    ),
  },
  {
    weight: 2,
    arbitrary: step(
      'clear',
      user,
      (userId) =>
        ({ provider }) =>
          provider.clear(REALM, userId),
    ),
  },
  {
    weight: 1,
    arbitrary: step(
      'clearAddress',
      fc.constantFrom(...ADDRESSES),
      (address) =>
        ({ provider }) =>
          provider.clearAddress(REALM, address),
    ),
  },
  {
    weight: 1,
    arbitrary: step(
      'removeByRealm',
      fc.constant(REALM),
      (realm) =>
        ({ provider }) =>
          provider.removeByRealm(realm),
    ),
  },
  {
    weight: 2,
    arbitrary: step(
      'recompute',
      fc.constant(REALM),
      (realm) =>
        ({ provider }) =>
          provider.recompute(realm),
    ),
  },
  {
    weight: 2,
    arbitrary: change('settings', settings, (bruteForce, { realm }) => {
      realm.bruteForce = bruteForce
    }),
  },
  {
    weight: 5,
    arbitrary: change(
      'wait',
      fc.constantFrom(1, 999, 1_000, 19_999, 20_000, 30_000, 60_000, 90_000, 900_000),
      (ms, { clock }) => clock.advance(ms),
    ),
  },
]

const address = fc.record({
  failureFactor: fc.constantFrom(1, 3, 6),
  waitIncrementMs: span,
  maxFailureWaitMs: span,
  maxDeltaTimeMs: span,
})

/**
 * Callers wait in a queue for each set of rules. Who is first among the queues that share an address is decided by chance, so
 * there are no addresses where callers wait.
 */
const properties = fc.oneof(
  fc.record({ guardWaitMs: fc.constant(0), address }),
  fc.record({
    guardWaitMs: fc.constantFrom(0, 3_600_000, 3_600_000),
    guardMaxWaiting: fc.constantFrom(1, 1_000),
  }),
)

export const histories = fc.record({
  properties,
  bruteForce: settings.map((item) => ({ ...item, enabled: true })),
  steps: fc.array(fc.oneof(...steps), { minLength: 10, maxLength: 50, size: 'max' }),
})
