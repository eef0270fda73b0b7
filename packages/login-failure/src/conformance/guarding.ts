import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { LoginFailureProvider } from '../contract.js'
import { assertNotLocked, countOf, fail, protect, SECOND } from './fixture.js'
import { count, credential, pending, right, twoNodes, wrong } from './guard-fixture.js'

/** Verifying under the policy's protection. */
export function guarding(add: SuiteBuilder<LoginFailureProvider>): void {
  add.basic('guard: counts a failure, forgets failures after a success', 'issue 5', async (stage) => {
    protect(stage, { quickLoginCheckMs: 0 })
    const { provider } = stage
    assert.deepEqual(await provider.guard('realm', 'alice', { ip: '127.0.0.1' }, wrong), {
      outcome: 'failure',
    })
    assert.equal((await provider.get('realm', 'alice'))?.lastIp, '127.0.0.1')
    assert.deepEqual(await provider.guard('realm', 'alice', {}, right), { outcome: 'success' })
    assert.equal(await provider.get('realm', 'alice'), undefined)
  })

  add.basic(
    'guard: the failure that locks says so, and then nothing is verified',
    'A12/132, A12/137',
    async (stage) => {
      protect(stage)
      const { provider, clock } = stage
      await provider.guard('realm', 'alice', {}, wrong)
      const lockedUntil = clock.now() + 20 * SECOND
      assert.deepEqual(await provider.guard('realm', 'alice', {}, wrong), { outcome: 'failure', lockedUntil })
      const { seen, verify } = credential(true)
      assert.deepEqual(await provider.guard('realm', 'alice', {}, verify), {
        outcome: 'locked',
        until: lockedUntil,
        permanent: false,
        reason: 'failures',
        rule: 'user',
      })
      assert.equal(seen.verified, 0)
      assert.equal(await countOf(provider), 2)
      clock.advance(20 * SECOND)
      assert.deepEqual(await provider.guard('realm', 'alice', {}, verify), { outcome: 'success' })
    },
  )

  add.basic('guard: a permanent lock is said so', 'A12/156', async (stage) => {
    protect(stage, { permanentLockout: true, failureFactor: 1 })
    const { provider } = stage
    assert.deepEqual(await provider.guard('realm', 'alice', {}, wrong), {
      outcome: 'failure',
      permanent: true,
    })
    assert.deepEqual(await provider.guard('realm', 'alice', {}, right), {
      outcome: 'locked',
      permanent: true,
      reason: 'failures',
      rule: 'user',
    })
  })

  add.basic(
    'guard: verifies and counts nothing where the realm is not protected',
    '§11.2',
    async ({ provider }) => {
      for (let n = 0; n < 40; n++) {
        assert.deepEqual(await provider.guard('realm', 'alice', {}, wrong), { outcome: 'failure' })
      }
      assert.deepEqual(await provider.guard('realm', 'alice', {}, right), { outcome: 'success' })
      assert.equal(await provider.get('realm', 'alice'), undefined)
    },
  )

  add.basic('guard: a second factor has its own limit', 'A12/135', async (stage) => {
    protect(stage, { failureFactor: 120, quickLoginCheckMs: 0, maxSecondaryAuthFailures: 2 })
    const { provider } = stage
    const outcomes = await together(20, () => provider.guard('realm', 'alice', { category: 'otp' }, wrong))
    assert.deepEqual(count(outcomes), { failure: 3, locked: 17 })
    assert.equal((await provider.get('realm', 'alice'))?.numSecondaryAuthFailures, 3)
  })

  add.basic(
    'guard: what verify throws reaches the caller, and its reservation is given back',
    'issue 5',
    async (stage) => {
      protect(stage, { failureFactor: 1 })
      const provider = await stage.withProperties({ guardWaitMs: 0 })
      const broken = new Error('directory is away')
      for (let n = 0; n < 3; n++) {
        await assert.rejects(
          provider.guard('realm', 'alice', {}, async () => {
            throw broken
          }),
          broken,
        )
      }
      await assert.rejects(
        provider.guard('realm', 'alice', {}, (() => {
          throw broken
        }) as never),
        broken,
      )
      await assert.rejects(provider.guard('realm', 'alice', {}, (async () => undefined) as never), /"verify"/)
      assert.equal(await provider.get('realm', 'alice'), undefined)
      assert.deepEqual(await provider.guard('realm', 'alice', {}, right), { outcome: 'success' })
    },
  )

  add.expiry(
    'guard: a verification that never ends gives its reservation back after reservationMs',
    'issue 5',
    async (stage) => {
      protect(stage, { failureFactor: 1 })
      const [provider, other] = await twoNodes(stage, { guardWaitMs: 0, reservationMs: 5 * SECOND })
      const { started, verify, end } = pending()
      const forgotten = pending()
      void provider.guard('realm', 'carol', {}, forgotten.verify)
      const hanging = provider.guard('realm', 'alice', {}, verify)
      await Promise.all([started, forgotten.started])
      stage.clock.advance(5 * SECOND - 1)
      assert.deepEqual(await other.guard('realm', 'alice', {}, right), {
        outcome: 'locked',
        permanent: false,
        reason: 'concurrent-attempts',
        rule: 'user',
      })
      stage.clock.advance(1)
      assert.deepEqual(await other.guard('realm', 'alice', {}, right), { outcome: 'success' })
      end(true)
      assert.deepEqual(await hanging, { outcome: 'success' }, 'late, and nothing speaks against it')
    },
  )

  add.expiry(
    'guard: a reservation lasts as long as the clock of its node may say that it does',
    'architecture: one clock',
    async (stage) => {
      protect(stage, { failureFactor: 1 })
      const [provider, other] = await twoNodes(stage, { guardWaitMs: 0, reservationMs: 5 * SECOND })
      assert.equal(
        provider.clock?.now(),
        stage.clock.now(),
        'the clock of the provider is that of its context',
      )
      stage.clock.uncertaintyMs = 40
      const { started, verify, end } = pending()
      const hanging = provider.guard('realm', 'alice', {}, verify)
      await started
      stage.clock.advance(5 * SECOND + 39)
      const { outcome } = await other.guard('realm', 'alice', {}, right)
      assert.equal(outcome, 'locked', 'another node may be up to 40 ms behind')
      stage.clock.advance(1)
      assert.equal((await other.guard('realm', 'alice', {}, right)).outcome, 'success')
      end(true)
      await hanging
    },
  )

  add.expiry(
    'guard: a verification that ends after its reservation is counted all the same, and cannot pass a lock',
    'issue 5',
    async (stage) => {
      protect(stage, { failureFactor: 1 })
      const [provider, other] = await twoNodes(stage, { reservationMs: 5 * SECOND })
      const [first, second] = [pending(), pending()]
      const lateWrong = provider.guard('realm', 'bob', {}, first.verify)
      const lateRight = provider.guard('realm', 'alice', {}, second.verify)
      await Promise.all([first.started, second.started])
      stage.clock.advance(5 * SECOND)
      first.end(false)
      assert.equal((await lateWrong).outcome, 'failure')
      assert.equal(await countOf(provider, 'bob'), 1)
      assert.equal((await other.guard('realm', 'alice', {}, wrong)).outcome, 'failure')
      second.end(true)
      assert.equal((await lateRight).outcome, 'locked')
      assert.equal(await countOf(provider), 1)
    },
  )

  add.concurrency(
    'guard: 100 wrong at once, on two nodes: verified no more often than the factor',
    'A12/165, A12/166, §19 row 5, issue 5',
    async (stage) => {
      for (const [factor, permanentLockout] of [
        [2, false],
        [5, false],
        [30, false],
        [2, true],
      ] as const) {
        protect(stage, { failureFactor: factor, permanentLockout, quickLoginCheckMs: 0 })
        const nodes = await twoNodes(stage)
        const { seen, verify } = credential(false)
        const userId = `user-${factor}-${permanentLockout}`
        const outcomes = await together(100, (n) =>
          (nodes[n % 2] as LoginFailureProvider).guard('realm', userId, {}, verify),
        )
        assert.equal(seen.verified, factor)
        assert.deepEqual(count(outcomes), { failure: factor, locked: 100 - factor })
        assert.equal(await countOf(nodes[0], userId), factor)
        const lock = await nodes[1].check('realm', userId)
        assert.equal(lock.locked && lock.permanent, permanentLockout)
      }
    },
  )

  add.concurrency(
    'guard: wrong at once with the quick-login check: two are verified',
    '§11.3 step 5, §19 row 5',
    async (stage) => {
      protect(stage, { failureFactor: 30 })
      const nodes = await twoNodes(stage)
      const { seen, verify } = credential(false)
      await together(50, (n) => (nodes[n % 2] as LoginFailureProvider).guard('realm', 'alice', {}, verify))
      assert.equal(seen.verified, 2)
    },
  )

  add.concurrency(
    'guard: 60 right at once, on two nodes, all succeed',
    '§19 row 33, issue 5',
    async (stage) => {
      for (const factor of [1, 2, 30]) {
        protect(stage, { failureFactor: factor })
        const nodes = await twoNodes(stage)
        const { seen, verify } = credential(true)
        const outcomes = await together(60, (n) =>
          (nodes[n % 2] as LoginFailureProvider).guard('realm', 'alice', {}, verify),
        )
        assert.deepEqual(count(outcomes), { success: 60 })
        assert.ok(seen.mostAtOnce <= factor)
      }
      await assertNotLocked(stage)
    },
  )

  add.concurrency(
    'guard: the right password among wrong ones gets no more verifications than the policy allows',
    'issue 5',
    async (stage) => {
      protect(stage, { failureFactor: 5, quickLoginCheckMs: 0 })
      const [a, b] = await twoNodes(stage)
      for (let round = 0; round < 20; round++) {
        let [verified, failuresSinceSuccess, most] = [0, 0, 0]
        await together(40, (n) =>
          (n % 2 ? a : b).guard('realm', `user-${round}`, {}, async () => {
            verified += 1
            await new Promise(setImmediate)
            const answer = n === round
            failuresSinceSuccess = answer ? 0 : failuresSinceSuccess + 1
            most = Math.max(most, failuresSinceSuccess)
            return answer
          }),
        )
        assert.ok(verified <= 11, `verified ${verified}: five, the right one, five more`)
      }
    },
  )

  add.concurrency('guard: whoever waits too long, or too many, is refused', '§11.4', async (stage) => {
    protect(stage, { failureFactor: 1 })
    const provider = await stage.withProperties({ guardWaitMs: 30, guardMaxWaiting: 2 })
    const { started, verify, end } = pending()
    const first = provider.guard('realm', 'alice', {}, verify)
    await started
    const outcomes = await together(6, () => provider.guard('realm', 'alice', {}, right))
    for (const item of outcomes) {
      assert.deepEqual(item, {
        outcome: 'locked',
        permanent: false,
        reason: 'concurrent-attempts',
        rule: 'user',
      })
    }
    assert.equal((await provider.guard('realm', 'bob', {}, right)).outcome, 'success')
    end(true)
    assert.equal((await first).outcome, 'success')
    assert.equal((await provider.guard('realm', 'alice', {}, right)).outcome, 'success')
  })

  add.concurrency(
    'guard: waiting callers go on as soon as a reservation settles on another node',
    'issue 5',
    async (stage) => {
      protect(stage, { failureFactor: 1 })
      const [a, b] = await twoNodes(stage)
      const { started, verify, end } = pending()
      const first = a.guard('realm', 'alice', {}, verify)
      await started
      const waiting = together(5, () => b.guard('realm', 'alice', {}, right))
      await new Promise(setImmediate)
      end(true)
      assert.equal((await first).outcome, 'success')
      assert.deepEqual(count(await waiting), { success: 5 })
    },
  )

  add.concurrency('close: callers that wait are told', 'contract', async (stage) => {
    protect(stage, { failureFactor: 1 })
    const provider = await stage.withProperties({ guardWaitMs: 9_000 })
    const { started, verify, end } = pending()
    const first = provider.guard('realm', 'alice', {}, verify).catch(() => undefined)
    await started
    const waiting = Promise.allSettled(
      Array.from({ length: 3 }, () => provider.guard('realm', 'alice', {}, right)),
    )
    await new Promise(setImmediate)
    await provider.close?.()
    for (const item of await waiting) {
      assert.equal(item.status === 'rejected' && item.reason.code, 'ERR_PROVIDER_CLOSED')
    }
    end(true)
    await first
  })

  add.basic('guard: two commands, recordFailure, check and recordSuccess: one', '§8 D1', async (stage) => {
    protect(stage, { failureFactor: 9 })
    const { provider, commands } = stage
    if (commands === undefined) return
    const costs = async (call: () => Promise<unknown>): Promise<number> => {
      await call()
      const before = commands()
      await call()
      return commands() - before
    }
    assert.equal(await costs(() => provider.recordFailure('realm', 'alice')), 1)
    assert.equal(await costs(() => provider.check('realm', 'alice')), 1)
    assert.equal(await costs(() => provider.get('realm', 'alice')), 1)
    assert.equal(await costs(() => provider.recordSuccess('realm', 'alice')), 1)
    assert.equal(await costs(() => provider.guard('realm', 'bob', {}, right)), 2)
    assert.equal(await costs(() => provider.guard('realm', 'bob', {}, wrong)), 2)
    assert.equal(await costs(() => provider.guardUnknownUser('realm', {}, wrong)), 2)
    assert.equal(await costs(() => provider.clear('realm', 'alice')), 1)
  })

  add.basic(
    'guard: a lock that was set while it verified is honoured, and forgives nothing',
    'contract, A12/155',
    async (stage) => {
      for (const [permanentLockout, category] of [
        [false, 'password'],
        [false, 'otp'],
        [true, 'password'],
      ] as const) {
        protect(stage, { quickLoginCheckMs: 0, permanentLockout })
        const [provider, other] = await twoNodes(stage)
        const { started, verify, end } = pending()
        const guarded = provider.guard('realm', 'alice', { category }, verify)
        await started
        await fail(other, 2)
        end(true)
        const { outcome, ...lock } = await guarded
        assert.equal(outcome, 'locked')
        assert.deepEqual({ locked: true, ...lock }, await other.check('realm', 'alice'))
        assert.equal(await countOf(provider), 2)
        await provider.clear('realm', 'alice')
        assert.equal((await provider.guard('realm', 'alice', { category }, right)).outcome, 'success')
      }
    },
  )

  add.basic('guard: a failure by another way while it verifies counts too', 'contract', async (stage) => {
    protect(stage, { quickLoginCheckMs: 0 })
    const { provider } = stage
    const outcome = await provider.guard('realm', 'alice', {}, async () => {
      await fail(provider)
      return false
    })
    assert.equal('lockedUntil' in outcome, true)
    assert.equal(await countOf(provider), 2)
  })
}
