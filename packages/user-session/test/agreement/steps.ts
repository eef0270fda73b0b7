import type { FakeClock } from '@authstate/conformance'
import type { RealmSettings } from '@authstate/spi'
import fc from 'fast-check'
import type { UserSessionProvider } from '../../src/index.js'

export const REALM = 'r'
const MINUTE_MS = 60_000

/** One call, the same on both stores. */
export interface Step {
  readonly name: string
  /** Whether its answer holds a new session. */
  readonly creates?: boolean
  /** What changes around the stores first. */
  readonly before?: (world: {
    readonly clock: FakeClock
    readonly settings: { realm: RealmSettings }
  }) => void
  readonly run: (
    provider: UserSessionProvider,
    id: (number: number) => string,
    clock: FakeClock,
  ) => Promise<unknown>
}

const userId = fc.constantFrom('alice', 'alice', 'bob')
const clientId = fc.constantFrom('app', 'app', '__proto__')
const maybeClient = fc.option(clientId, { nil: undefined })
const number = fc.nat(3)
const offline = fc.constantFrom(false, false, true)
const on = { number, offline }

function step<T>(
  what: string,
  arbitrary: fc.Arbitrary<T>,
  run: (args: T) => Step['run'],
  more: Omit<Step, 'name' | 'run'> = {},
): fc.Arbitrary<Step> {
  return arbitrary.map((args) => {
    const name = `${what} ${JSON.stringify(args)}`
    return { name, run: run(args), toString: () => name, ...more }
  })
}

const withClient = (client: string | undefined) =>
  client === undefined ? {} : { client: { clientId: client } }

const rotation = fc.record({
  family: fc.constantFrom('f', 'f', '__proto__'),
  presented: fc.constantFrom('a', 'a', 'b'),
  next: fc.constantFrom('b', 'c'),
  age: fc.constantFrom(0, 0, 2, MINUTE_MS),
  maxReuse: fc.nat(1),
  attempt: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
  graceMs: fc.constantFrom(0, 5_000),
})
const presentation = (
  {
    age,
    presented,
    next,
    ...rest
  }: { age: number; presented: string; next: string; family: string; maxReuse: number },
  clock: FakeClock,
) => ({ ...rest, presented, next: next === presented ? `${next}2` : next, issuedAt: clock.now() - age })

const settings = fc.record({
  ssoSessionIdleTimeoutMs: fc.constantFrom(10 * MINUTE_MS, 30 * MINUTE_MS),
  ssoSessionMaxLifespanMs: fc.constantFrom(0, 20 * MINUTE_MS),
  ssoSessionIdleTimeoutRememberMeMs: fc.constantFrom(0, 60 * MINUTE_MS),
  clientSessionIdleTimeoutMs: fc.constantFrom(0, 5 * MINUTE_MS),
  clientSessionMaxLifespanMs: fc.constantFrom(0, 15 * MINUTE_MS),
  offlineSessionIdleTimeoutMs: fc.constantFrom(20 * MINUTE_MS, 60 * MINUTE_MS),
  clientOfflineSessionIdleTimeoutMs: fc.constantFrom(0, 10 * MINUTE_MS),
  rememberMe: fc.boolean(),
})

const steps: readonly { readonly weight: number; readonly arbitrary: fc.Arbitrary<Step> }[] = [
  {
    weight: 8,
    arbitrary: step(
      'create',
      fc.record({ userId, client: maybeClient, rememberMe: fc.boolean() }),
      (item) => (provider) =>
        provider.create(REALM, {
          userId: item.userId,
          loginUsername: item.userId,
          rememberMe: item.rememberMe,
          ...withClient(item.client),
        }),
      { creates: true },
    ),
  },
  {
    weight: 5,
    arbitrary: step(
      'createOffline',
      fc.record({ number, client: maybeClient }),
      (item) => (provider, id) =>
        provider.createOffline(
          REALM,
          id(item.number),
          item.client === undefined ? {} : { clientIds: [item.client] },
        ),
    ),
  },
  {
    weight: 2,
    arbitrary: step(
      'restart',
      fc.record({ number, client: maybeClient, userId }),
      (item) => (provider, id) =>
        provider.restart(REALM, id(item.number), {
          userId: item.userId,
          loginUsername: item.userId,
          ...withClient(item.client),
        }),
    ),
  },
  {
    weight: 5,
    arbitrary: step(
      'putClientSession',
      fc.record({ ...on, clientId }),
      (item) => (provider, id) =>
        provider.putClientSession(
          REALM,
          id(item.number),
          { clientId: item.clientId },
          { offline: item.offline },
        ),
    ),
  },
  {
    weight: 3,
    arbitrary: step(
      'updateClientSession',
      fc.record({ ...on, clientId }),
      (item) => (provider, id) =>
        provider.updateClientSession(
          REALM,
          id(item.number),
          { clientId: item.clientId, notes: { constructor: 'x' } },
          { offline: item.offline },
        ),
    ),
  },
  {
    weight: 8,
    arbitrary: step(
      'rotate',
      fc.tuple(fc.record({ ...on, clientId }), rotation),
      ([item, token]) =>
        (provider, id, clock) =>
          provider.rotateRefreshToken(REALM, id(item.number), {
            ...presentation(token, clock),
            clientId: item.clientId,
            offline: item.offline,
          }),
    ),
  },
  {
    weight: 1,
    arbitrary: step(
      'rotate transient',
      rotation,
      (token) => (provider, _, clock) =>
        provider.rotateTransientToken(REALM, { ...presentation(token, clock), lifespanMs: MINUTE_MS }),
    ),
  },
  {
    weight: 3,
    arbitrary: step(
      'refresh',
      fc.record({ ...on, client: maybeClient }),
      (item) => (provider, id) =>
        provider.refresh(REALM, id(item.number), { offline: item.offline, clientId: item.client }),
    ),
  },
  {
    weight: 3,
    arbitrary: step(
      'touch',
      fc.record({ ...on, client: maybeClient }),
      (item) => (provider, id) =>
        provider.touch(REALM, id(item.number), { offline: item.offline, clientId: item.client }),
    ),
  },
  {
    weight: 1,
    arbitrary: step(
      'update',
      fc.record(on),
      (item) => (provider, id) =>
        provider.update(REALM, id(item.number), { notes: { a: '1' } }, { offline: item.offline }),
    ),
  },
  {
    weight: 2,
    arbitrary: step(
      'removeClientSession',
      fc.record({ ...on, clientId, endWhenLast: fc.boolean() }),
      (item) => (provider, id) =>
        provider.removeClientSession(REALM, id(item.number), item.clientId, {
          offline: item.offline,
          endWhenLast: item.endWhenLast,
        }),
    ),
  },
  {
    weight: 1,
    arbitrary: step(
      'remove',
      fc.record(on),
      (item) => (provider, id) => provider.remove(REALM, id(item.number), { offline: item.offline }),
    ),
  },
  {
    weight: 1,
    arbitrary: step(
      'removeByUser',
      fc.record({ ...on, userId }),
      (item) => (provider, id) =>
        provider.removeByUser(REALM, item.userId, { offline: item.offline, except: id(item.number) }),
    ),
  },
  {
    weight: 1,
    arbitrary: step(
      'removeByClient',
      fc.record({ offline, clientId }),
      (item) => (provider) => provider.removeByClient(REALM, item.clientId, { offline: item.offline }),
    ),
  },
  {
    weight: 1,
    arbitrary: step('recompute', fc.constant(null), () => (provider) => provider.recompute(REALM)),
  },
  { weight: 2, arbitrary: step('sweep', fc.constant(null), () => (provider) => provider.sweep()) },
  {
    weight: 2,
    arbitrary: settings.chain((realm) =>
      step('settings', fc.constant(realm), () => async () => undefined, {
        before: (world) => {
          world.settings.realm = { ...realm, notBefore: world.settings.realm.notBefore ?? 0 }
        },
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, 10 * MINUTE_MS, 10 * MINUTE_MS).chain((ago) =>
      step('not before', fc.constant(ago), () => async () => undefined, {
        before: (world) => {
          world.settings.realm = { ...world.settings.realm, notBefore: world.clock.now() - ago }
        },
      }),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(10, 999, MINUTE_MS, 2 * MINUTE_MS, 4 * MINUTE_MS, 15 * MINUTE_MS).chain((ms) =>
      step('wait', fc.constant(ms), () => async () => undefined, {
        before: ({ clock }) => clock.advance(ms),
      }),
    ),
  },
]

const limit = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined })

export const histories = fc.record({
  limits: fc.record({
    maxSessionsPerUser: limit,
    maxSessionsPerUserAndClient: limit,
    maxOfflineSessionsPerUser: limit,
    maxTotalSessionsPerUser: limit,
    limitPolicy: fc.constantFrom('reject', 'end-oldest', 'end-least-recently-used'),
  }),
  steps: fc.array(fc.oneof(...steps), { minLength: 10, maxLength: 50, size: 'max' }),
})
