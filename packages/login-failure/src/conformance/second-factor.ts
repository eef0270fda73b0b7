import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { GuardOutcome, LoginFailureProvider } from '../contract.js'
import {
  assertLockedFor,
  assertLockedForGood,
  assertNotLocked,
  countOf,
  fail,
  protect,
  SECOND,
} from './fixture.js'
import { right, wrong } from './guard-fixture.js'

/** The two steps of a login, each under its own guard: the code is asked for only after the password. */
async function signIn(
  provider: LoginFailureProvider,
  code: () => Promise<boolean>,
): Promise<GuardOutcome['outcome']> {
  const password = await provider.guard('realm', 'alice', {}, right)
  if (password.outcome !== 'success') return password.outcome
  return (await provider.guard('realm', 'alice', { category: 'otp' }, code)).outcome
}

/** What a second factor adds: its failures outlive a right password. */
export function secondFactor(add: SuiteBuilder<LoginFailureProvider>): void {
  add.basic(
    'guard: two wrong codes lock, each after the right password; everything right is refused until clear',
    'A12/133',
    async (stage) => {
      protect(stage, { quickLoginCheckMs: 0 })
      const { provider } = stage
      assert.equal(await signIn(provider, wrong), 'failure')
      assert.equal(await signIn(provider, wrong), 'failure')
      assert.equal(await signIn(provider, right), 'locked')
      await assertLockedFor(stage, 20 * SECOND)
      await provider.clear('realm', 'alice')
      assert.equal(await signIn(provider, right), 'success')
    },
  )

  add.basic(
    'guard: two wrong codes after one password lock; the right code is refused until clear',
    'A12/152, A12/155',
    async (stage) => {
      protect(stage, { quickLoginCheckMs: 0 })
      const { provider } = stage
      const code = async (verify: () => Promise<boolean>) =>
        (await provider.guard('realm', 'alice', { category: 'otp' }, verify)).outcome
      assert.equal((await provider.guard('realm', 'alice', {}, right)).outcome, 'success')
      assert.deepEqual(
        [await code(wrong), await code(wrong), await code(right)],
        ['failure', 'failure', 'locked'],
      )
      await provider.clear('realm', 'alice')
      assert.equal(await code(right), 'success')
    },
  )

  add.expiry(
    'guard: under the defaults a thousand codes, each after the right password, get no further than passwords would',
    'issue 5, CVE-2024-4629',
    async (stage) => {
      stage.setRealm('realm', { bruteForce: { enabled: true } })
      let verified = 0
      for (let n = 0; n < 1_000; n++) {
        await signIn(stage.provider, async () => {
          verified += 1
          return false
        })
        stage.clock.advance(1_100)
      }
      // Thirty before the first lock, which is of a minute, and one at the end of each lock.
      assert.ok(verified >= 30 && verified <= 30 + 1_100 / 60, `${verified} verified`)
    },
  )

  add.expiry(
    'guard: lock-outs by codes add up to the permanent one, whatever passwords came between',
    'A12/159',
    async (stage) => {
      protect(stage, { permanentLockout: true, maxTemporaryLockouts: 2, quickLoginCheckMs: 0 })
      for (let n = 0; n < 4; n++) {
        await signIn(stage.provider, wrong)
        stage.clock.advance(21 * SECOND)
      }
      await assertLockedForGood(stage)
    },
  )

  add.basic(
    'guard: the right code after the right password forgives both factors',
    'A12/162',
    async (stage) => {
      protect(stage, { quickLoginCheckMs: 0, failureFactor: 9 })
      const { provider } = stage
      await provider.guard('realm', 'alice', {}, wrong)
      await signIn(provider, wrong)
      assert.equal(await signIn(provider, right), 'success')
      assert.equal(await provider.get('realm', 'alice'), undefined)
    },
  )

  add.basic(
    'recordSuccess: failures of a second factor stay, and go on counting, unless it was part of the login',
    '§11.1',
    async (stage) => {
      protect(stage, { failureFactor: 12, quickLoginCheckMs: 0 })
      const { provider } = stage
      await fail(provider, 9, { category: 'otp', ip: '127.0.0.1' })
      await fail(provider, 2, { category: 'password' })
      const before = await provider.get('realm', 'alice')
      assert.deepEqual([before?.numFailures, before?.numSecondaryAuthFailures], [11, 9])
      stage.clock.advance(SECOND)
      assert.equal(await provider.recordSuccess('realm', 'alice'), true)
      assert.equal(await provider.recordSuccess('realm', 'alice', { category: 'password' }), false)
      assert.deepEqual(await provider.get('realm', 'alice'), { ...before, numFailures: 9 })
      await fail(provider, 2)
      assert.equal((await fail(provider)).locked, true, 'nine codes and three passwords')
      await provider.clear('realm', 'alice')
      await fail(provider, 2, { category: 'otp' })
      assert.equal(await provider.recordSuccess('realm', 'alice', { category: 'otp' }), true)
      assert.equal(await provider.get('realm', 'alice'), undefined)
    },
  )

  add.basic(
    'recordSuccess: a password alone does not end a lock that codes have set',
    'A12/133, contract',
    async (stage) => {
      protect(stage, { quickLoginCheckMs: 0 })
      const { provider } = stage
      const unlocks: string[] = []
      provider.on('unlock', ({ cause }) => unlocks.push(cause))
      await fail(provider, 2, { category: 'otp' })
      assert.equal(await provider.recordSuccess('realm', 'alice'), false)
      await assertLockedFor(stage, 20 * SECOND)
      assert.equal(await countOf(provider), 2)
      assert.deepEqual(unlocks, [])
      assert.equal(await provider.recordSuccess('realm', 'alice', { category: 'otp' }), true)
      await assertNotLocked(stage)
      assert.deepEqual(unlocks, ['success'])
    },
  )
}
