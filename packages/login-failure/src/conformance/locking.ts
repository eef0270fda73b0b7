import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { LoginFailureProvider } from '../contract.js'
import {
  assertLockedFor,
  assertLockedForGood,
  assertNotLocked,
  countOf,
  fail,
  protect,
  SECOND,
} from './fixture.js'

/** When a lock is set, for how long, and what ends it. */
export function locking(add: SuiteBuilder<LoginFailureProvider>): void {
  add.basic(
    'check: locked by the failure that reaches the factor',
    'A12/132, A12/139, A12/158',
    async (stage) => {
      protect(stage)
      assert.equal((await fail(stage.provider)).locked, false)
      await assertNotLocked(stage)
      const outcome = await fail(stage.provider)
      const until = stage.clock.now() + 20 * SECOND
      assert.deepEqual(outcome, {
        counted: true,
        numFailures: 2,
        numTemporaryLockouts: 1,
        numSecondaryAuthFailures: 0,
        locked: true,
        until,
        permanent: false,
        reason: 'failures',
        rule: 'user',
        newlyLocked: true,
      })
      assert.deepEqual(await stage.provider.check('realm', 'alice'), {
        locked: true,
        until,
        permanent: false,
        reason: 'failures',
        rule: 'user',
      })
      await stage.provider.clear('realm', 'alice')
      await assertNotLocked(stage)
    },
  )

  add.expiry('check: open again exactly when the lock ends', 'A12/143', async (stage) => {
    protect(stage)
    await fail(stage.provider, 2)
    stage.clock.advance(20 * SECOND - 1)
    await assertLockedFor(stage, 1)
    stage.clock.advance(1)
    await assertNotLocked(stage)
    stage.clock.advance(SECOND)
    assert.equal(await stage.provider.recordSuccess('realm', 'alice'), true)
    assert.equal(await stage.provider.get('realm', 'alice'), undefined)
  })

  for (const [strategy, waits, scenario] of [
    ['MULTIPLE', [0, 20, 20, 40, 40, 60, 60, 80, 80, 100, 100, 100], 'A12/145, B5'],
    ['LINEAR', [0, 20, 40, 60, 80, 100, 100, 100, 100, 100, 100, 100], 'A12/146, B5'],
  ] as const) {
    add.basic(`recordFailure: how long each failure locks, ${strategy}`, scenario, async (stage) => {
      protect(stage, { strategy, maxDeltaTimeMs: 3_600 * SECOND })
      for (const wait of waits) {
        const { until, locked } = await fail(stage.provider)
        assert.equal(locked, wait > 0)
        assert.equal((until ?? stage.clock.now()) - stage.clock.now(), wait * SECOND)
        stage.clock.advance(Math.max(wait, 2) * SECOND)
      }
    })
  }

  add.basic(
    'recordFailure: the third failure at +30 s locks until +50 s, or +70 s',
    'A12/145, A12/146',
    async (stage) => {
      for (const [strategy, locked] of [
        ['MULTIPLE', false],
        ['LINEAR', true],
      ] as const) {
        protect(stage, { strategy })
        await fail(stage.provider, 2)
        stage.clock.advance(30 * SECOND)
        await fail(stage.provider)
        stage.clock.advance(30 * SECOND)
        assert.equal((await stage.provider.check('realm', 'alice')).locked, locked)
        await stage.provider.clear('realm', 'alice')
      }
    },
  )

  add.basic(
    'recordFailure: two failures in quick succession lock, and are no lock-out',
    '§11.3 step 5, B5',
    async (stage) => {
      protect(stage, { failureFactor: 30, maxFailureWaitMs: 900 * SECOND })
      await fail(stage.provider)
      stage.clock.advance(999)
      const outcome = await fail(stage.provider)
      assert.equal(outcome.reason, 'quick-login')
      assert.equal(outcome.numTemporaryLockouts, 0)
      await assertLockedFor(stage, 60 * SECOND)
      await stage.provider.clear('realm', 'alice')
      await fail(stage.provider)
      stage.clock.advance(1_000)
      assert.equal((await fail(stage.provider)).locked, false)
    },
  )

  add.basic('recordFailure: huge settings lock, and to no time before now', 'A12/144', async (stage) => {
    const huge = (2 ** 31 - 1 - 172_800) * SECOND
    for (const span of [huge, Number.MAX_SAFE_INTEGER]) {
      for (const strategy of ['LINEAR', 'MULTIPLE'] as const) {
        protect(stage, { strategy, waitIncrementMs: span, maxFailureWaitMs: span, maxDeltaTimeMs: span })
        const { until = 0 } = await fail(stage.provider, 2)
        assert.ok(Number.isSafeInteger(until) && until > stage.clock.now())
        await stage.provider.clear('realm', 'alice')
      }
    }
  })

  add.basic(
    'recordFailure: permanent mode locks for good at the factor',
    'A12/138, A12/156',
    async (stage) => {
      protect(stage, { permanentLockout: true, quickLoginCheckMs: 0 })
      assert.equal((await fail(stage.provider)).locked, false)
      const outcome = await fail(stage.provider)
      assert.deepEqual([outcome.permanent, outcome.reason, outcome.newlyLocked], [true, 'failures', true])
      await assertLockedForGood(stage)
      assert.equal((await fail(stage.provider, 5)).counted, false)
      assert.equal(await countOf(stage.provider), 2)
      stage.clock.advance(100 * 365 * 86_400 * SECOND)
      await assertLockedForGood(stage)
      assert.equal(await stage.provider.recordSuccess('realm', 'alice'), false)
      await assertLockedForGood(stage)
      assert.equal(await stage.provider.clear('realm', 'alice'), true)
      await assertNotLocked(stage)
    },
  )

  add.basic('recordFailure: permanent mode needs no wait', 'A12/157', async (stage) => {
    protect(stage, { permanentLockout: true, waitIncrementMs: 0 })
    await fail(stage.provider, 2)
    await assertLockedForGood(stage)
  })

  add.expiry('recordFailure: permanent mode never resets by time', 'A12/142', async (stage) => {
    protect(stage, { permanentLockout: true })
    await fail(stage.provider)
    assert.equal((await stage.provider.get('realm', 'alice'))?.expiresAt, undefined)
    stage.clock.advance(86_400 * SECOND)
    assert.equal((await fail(stage.provider)).permanent, true)
  })

  add.basic(
    'recordFailure: quick succession locks in permanent mode too, for a time',
    '§11.3 step 5',
    async (stage) => {
      protect(stage, { permanentLockout: true, failureFactor: 9 })
      await fail(stage.provider, 2)
      await assertLockedFor(stage, 60 * SECOND)
    },
  )

  add.basic(
    'recordFailure: in mixed mode the lock-out beyond the limit is permanent',
    'A12/159',
    async (stage) => {
      protect(stage, { permanentLockout: true, maxTemporaryLockouts: 2 })
      await fail(stage.provider, 2)
      await assertLockedFor(stage, 20 * SECOND)
      stage.clock.advance(21 * SECOND)
      await fail(stage.provider)
      await assertLockedFor(stage, 20 * SECOND)
      stage.clock.advance(21 * SECOND)
      assert.equal((await fail(stage.provider)).permanent, true)
      stage.clock.advance(86_400 * SECOND)
      await assertLockedForGood(stage)
    },
  )

  add.basic('recordSuccess: forgets lock-outs', 'A12/160', async (stage) => {
    protect(stage, { permanentLockout: true, maxTemporaryLockouts: 2 })
    await fail(stage.provider, 2)
    stage.clock.advance(21 * SECOND)
    assert.equal((await stage.provider.status('realm', 'alice')).numTemporaryLockouts, 1)
    assert.equal(await stage.provider.recordSuccess('realm', 'alice'), true)
    assert.equal((await stage.provider.status('realm', 'alice')).numTemporaryLockouts, 0)
  })

  add.basic(
    'recordSuccess: forgets failures, so that a single one does not lock',
    'A12/161, A12/162',
    async (stage) => {
      protect(stage)
      await fail(stage.provider)
      assert.equal(await stage.provider.recordSuccess('realm', 'alice'), true)
      assert.equal(await stage.provider.recordSuccess('realm', 'alice'), false)
      assert.equal(await stage.provider.get('realm', 'alice'), undefined)
      assert.equal((await fail(stage.provider)).locked, false)
    },
  )

  add.basic('clear: ends a temporary lock, as after a password reset', 'A12/164', async (stage) => {
    protect(stage)
    await fail(stage.provider, 2)
    assert.equal(await stage.provider.clear('realm', 'alice'), true)
    await assertNotLocked(stage)
    assert.equal(await countOf(stage.provider), 0)
  })

  add.basic(
    'recordFailure: failures of a second factor lock for good beyond their limit, in any mode',
    'A12/134, A12/135, A12/153, A12/154',
    async (stage) => {
      protect(stage, { failureFactor: 120, quickLoginCheckMs: 0 })
      const { provider } = stage
      assert.equal((await fail(provider, 10, { category: 'otp' })).locked, false)
      await fail(provider, 5, { category: 'password' })
      const outcome = await fail(provider, 1, { category: 'otp' })
      assert.deepEqual([outcome.permanent, outcome.reason], [true, 'secondary-auth-failures'])
      assert.equal(outcome.numSecondaryAuthFailures, 11)
      assert.equal(outcome.numFailures, 16)
      stage.clock.advance(86_400 * SECOND)
      await assertLockedForGood(stage)
    },
  )

  add.basic('recordFailure: a limit of 0 for a second factor is none', '§11.2', async (stage) => {
    protect(stage, { failureFactor: 120, quickLoginCheckMs: 0, maxSecondaryAuthFailures: 0 })
    assert.equal((await fail(stage.provider, 50, { category: 'otp' })).locked, false)
  })
}
