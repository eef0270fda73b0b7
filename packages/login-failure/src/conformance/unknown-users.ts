import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { BruteForceSettings } from '@authstate/spi'
import type { GuardOutcome, LoginFailureProvider } from '../contract.js'
import { type LoginFailureStage, protect, SECOND } from './fixture.js'
import { count, credential, pending, twoNodes, wrong } from './guard-fixture.js'

type Attempt = (
  provider: LoginFailureProvider,
  verify: () => Promise<boolean>,
  options?: { readonly ip?: string },
) => Promise<GuardOutcome>

/** One attempt of a user who exists, and one under a name that belongs to nobody. */
const known =
  (userId: string): Attempt =>
  (provider, verify, options = {}) =>
    provider.guard('realm', userId, options, verify)
const unknown =
  (username: string): Attempt =>
  (provider, verify, options = {}) =>
    provider.guardUnknownUser('realm', { ...options, username }, verify)

/** What six wrong guesses at once come to, several times over: how many were verified, at once too, and each answer. */
async function bursts(stage: LoginFailureStage, attempt: Attempt, pausesMs: readonly number[]) {
  const nodes = await twoNodes(stage)
  const seen: unknown[] = []
  for (const pauseMs of pausesMs) {
    stage.clock.advance(pauseMs)
    const { seen: verified, verify } = credential(false)
    const outcomes = await together(6, (n) => attempt(nodes[n % 2] as LoginFailureProvider, verify))
    seen.push({ ...count(outcomes), verified: verified.verified })
    const lock = await attempt(nodes[0], verify)
    seen.push('until' in lock ? { ...lock, until: (lock.until ?? 0) - stage.clock.now() } : lock)
  }
  return seen
}

const POLICIES: readonly BruteForceSettings[] = [
  {},
  { failureFactor: 5, quickLoginCheckMs: 0 },
  { failureFactor: 5, quickLoginCheckMs: 0, strategy: 'LINEAR' },
  { failureFactor: 1, quickLoginCheckMs: 0 },
  { failureFactor: 4, permanentLockout: true, quickLoginCheckMs: 0 },
  { failureFactor: 2, permanentLockout: true, maxTemporaryLockouts: 1, quickLoginCheckMs: 0 },
  { failureFactor: 30 },
]

/** Names that belong to nobody: nothing tells them from users who exist, and nothing is left of them. */
export function unknownUsers(add: SuiteBuilder<LoginFailureProvider>): void {
  add.basic('guardUnknownUser: verifies, counts no user, and never succeeds', 'A12/163', async (stage) => {
    protect(stage)
    const { seen, verify } = credential(true)
    for (const options of [{ ip: '127.0.0.1', username: 'mallory' }, { username: '' }, {}]) {
      const { outcome } = await stage.provider.guardUnknownUser('realm', options, verify)
      assert.equal(outcome, 'failure')
    }
    assert.equal(seen.verified, 3)
  })

  add.concurrency(
    'guardUnknownUser: six guesses at once are verified and refused as those of a user who exists, at any time',
    'A12/163, A12/165, contract',
    async (stage) => {
      const pausesMs = [0, SECOND, 21 * SECOND, 100 * SECOND, 500, 61 * SECOND]
      for (const [index, settings] of POLICIES.entries()) {
        // Nothing ends of itself in this time: a user who is locked for good stays so, a name that is made up does not.
        protect(stage, { ...settings, maxDeltaTimeMs: 1_000 * SECOND })
        const exists = await bursts(stage, known(`user-${index}`), pausesMs)
        assert.deepEqual(await bursts(stage, unknown(`user-${index}`), pausesMs), exists)
      }
    },
  )

  add.concurrency(
    'guardUnknownUser: attempts wait for one another as those of a user who exists',
    'A12/163, §11.4',
    async (stage) => {
      protect(stage, { failureFactor: 2, quickLoginCheckMs: 0 })
      for (const attempt of [known('alice'), unknown('alice'), unknown('')]) {
        const [here, there] = await twoNodes(stage)
        const [first, second, third] = [pending(), pending(), pending()]
        const order: string[] = []
        const verified = (item: typeof first, name: string) => () => {
          order.push(name)
          return item.verify()
        }
        const running = [attempt(here, verified(first, 'first')), attempt(there, verified(second, 'second'))]
        await Promise.all([first.started, second.started])
        running.push(attempt(here, verified(third, 'third')))
        // Another name is verified meanwhile, from beginning to end: a third attempt had the time to begin.
        await unknown('somebody else')(here, async () => false)
        assert.deepEqual(order.sort(), ['first', 'second'])
        first.end(false)
        second.end(false)
        assert.deepEqual(count(await Promise.all(running)), { failure: 2, locked: 1 })
        assert.equal(order.includes('third'), false)
        await stage.provider.removeByRealm('realm')
      }
    },
  )

  add.basic(
    'guardUnknownUser: each name is one user; without a name each address is',
    'A12/163, contract',
    async (stage) => {
      protect(stage, { failureFactor: 1 })
      const { provider } = stage
      const outcome = async (options: { username?: string; ip?: string }) =>
        (await provider.guardUnknownUser('realm', options, wrong)).outcome
      for (const options of [
        { username: 'mallory' },
        { username: 'Mallory' },
        { username: `__proto__` },
        { username: '😀 {x}%\ud800:' },
        { username: 'x'.repeat(100_000) },
        { ip: '127.0.0.1' },
        { ip: '127.0.0.2' },
        {},
      ]) {
        assert.equal(await outcome(options), 'failure')
        assert.equal(await outcome(options), 'locked')
      }
      assert.equal(await outcome({ username: 'mallory', ip: '127.0.0.9' }), 'locked')
      assert.equal((await provider.guard('realm', 'mallory', {}, wrong)).outcome, 'failure')
      for (const username of [5, null, {}]) {
        await assert.rejects(outcome({ username } as never), { name: 'TypeError', message: /"username"/ })
      }
    },
  )

  add.basic(
    'guardUnknownUser: leaves no record, tells no event, and is forgotten with its realm or new settings',
    'A12/163, contract',
    async (stage) => {
      protect(stage, { failureFactor: 1, permanentLockout: true })
      const { provider } = stage
      const heard: unknown[] = []
      for (const name of ['temporary-lock', 'permanent-lock', 'unlock'] as const) {
        provider.on(name, (event) => heard.push(event))
      }
      const attempt = unknown('mallory')
      for (const forget of [
        async () => assert.equal(await provider.removeByRealm('realm'), 0),
        async () => assert.deepEqual(await provider.recompute('realm'), { updated: 0, removed: 0 }),
      ]) {
        assert.deepEqual(await attempt(provider, wrong), { outcome: 'failure', permanent: true })
        assert.equal((await attempt(provider, wrong)).outcome, 'locked')
        assert.equal(await provider.get('realm', 'mallory'), undefined)
        assert.equal((await provider.status('realm', 'mallory')).disabled, false)
        assert.deepEqual(await provider.check('realm', 'mallory'), { locked: false })
        assert.equal(await provider.clear('realm', 'mallory'), false)
        await forget()
        assert.deepEqual(heard, [])
      }
      assert.equal((await attempt(provider, wrong)).outcome, 'failure')
    },
  )

  add.expiry(
    'guardUnknownUser: a lock for good ends maxDeltaTimeMs after the last failure, as nobody is there to end it',
    'contract',
    async (stage) => {
      protect(stage, { failureFactor: 1, permanentLockout: true })
      const attempt = unknown('mallory')
      await attempt(stage.provider, wrong)
      stage.clock.advance(60 * SECOND - 1)
      assert.equal((await attempt(stage.provider, wrong)).outcome, 'locked')
      stage.clock.advance(1)
      assert.equal((await attempt(stage.provider, wrong)).outcome, 'failure')
    },
  )

  add.expiry(
    'guardUnknownUser: a verification that never ends gives its reservation back after reservationMs',
    'contract',
    async (stage) => {
      protect(stage, { failureFactor: 1 })
      const [provider, other] = await twoNodes(stage, { guardWaitMs: 0, reservationMs: 5 * SECOND })
      const [hanging, forgotten] = [pending(), pending()]
      void unknown('mallory')(provider, hanging.verify)
      await hanging.started
      stage.clock.advance(5 * SECOND - 1)
      const busy = await unknown('mallory')(other, wrong)
      assert.equal(busy.outcome === 'locked' && busy.reason, 'concurrent-attempts')
      stage.clock.advance(1)
      assert.equal((await unknown('mallory')(other, wrong)).outcome, 'failure')
      void unknown('oscar')(provider, forgotten.verify)
      await forgotten.started
    },
  )
}
