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
  TEST_REALM,
} from './fixture.js'

/** How long a record lives. */
export function lifetime(add: SuiteBuilder<LoginFailureProvider>): void {
  add.expiry(
    'get: gone exactly maxDeltaTimeMs after the last failure',
    'A12/140, A12/141, §19 row 31',
    async (stage) => {
      protect(stage)
      const { provider, clock } = stage
      await fail(provider)
      clock.advance(60 * SECOND - 1)
      assert.equal(await countOf(provider), 1)
      clock.advance(1)
      assert.equal(await provider.get('realm', 'alice'), undefined)
      assert.equal((await fail(provider)).numFailures, 1)
      assert.equal(await provider.recordSuccess('realm', 'alice'), true)
    },
  )

  add.expiry('get: looking does not extend, a failure does', 'A12/141', async (stage) => {
    protect(stage, { failureFactor: 9 })
    const { provider, clock } = stage
    await fail(provider)
    clock.advance(59 * SECOND)
    await provider.get('realm', 'alice')
    await provider.check('realm', 'alice')
    await provider.explain('realm', 'alice')
    await fail(provider)
    clock.advance(59 * SECOND)
    assert.equal(await countOf(provider), 2)
    await provider.status('realm', 'alice')
    clock.advance(SECOND)
    assert.equal(await provider.get('realm', 'alice'), undefined)
  })

  add.expiry(
    'get: the last failure counts, not the time it was recorded',
    'A12/141, §19 row 7',
    async (stage) => {
      protect(stage, { failureFactor: 9 })
      const { provider, clock } = stage
      await fail(provider, 1, { at: clock.now() - 40 * SECOND })
      clock.advance(20 * SECOND - 1)
      assert.equal(await countOf(provider), 1)
      clock.advance(1)
      assert.equal(await provider.get('realm', 'alice'), undefined)
      await fail(provider, 1, { at: clock.now() - 60 * SECOND })
      assert.equal(await provider.get('realm', 'alice'), undefined, 'too old when it was told')
      await fail(provider)
      assert.equal((await provider.get('realm', 'alice'))?.lastFailureAt, clock.now())
    },
  )

  add.expiry('check: a lock longer than maxDeltaTimeMs does not end early', '§11.1', async (stage) => {
    protect(stage, { maxDeltaTimeMs: 5 * SECOND })
    await fail(stage.provider, 2)
    stage.clock.advance(20 * SECOND - 1)
    await assertLockedFor(stage, 1)
    stage.clock.advance(1)
    await assertNotLocked(stage)
    assert.equal(await stage.provider.get('realm', 'alice'), undefined)
  })

  add.expiry(
    'recordFailure: a record that outlived its settings is reset after more than maxDeltaTimeMs',
    '§11.3 step 2, B5',
    async (stage) => {
      const { provider, clock } = stage
      protect(stage, { permanentLockout: true })
      await fail(provider, 1, { ip: '127.0.0.1' })
      await fail(provider, 1, { ip: '127.0.0.1' }, 'bob')
      protect(stage, { failureFactor: 9, quickLoginCheckMs: 0 })
      clock.advance(60 * SECOND)
      assert.equal((await fail(provider)).numFailures, 2)
      clock.advance(1)
      assert.equal((await fail(provider, 1, {}, 'bob')).numFailures, 1)
      assert.equal((await provider.get('realm', 'alice'))?.lastIp, '127.0.0.1')
      assert.equal((await provider.get('realm', 'bob'))?.lastIp, undefined)
    },
  )

  add.basic('recompute: gives records the life they would have now', '§11.1, §20 rule 4', async (stage) => {
    const { provider, clock } = stage
    protect(stage)
    protect(stage, {}, 'other')
    await fail(provider)
    await fail(provider, 1, {}, 'bob')
    await provider.recordFailure('other', 'alice')
    const start = clock.now()
    clock.advance(30 * SECOND)
    await fail(provider, 1, {}, 'carol')
    protect(stage, { maxDeltaTimeMs: 120 * SECOND })
    protect(stage, { maxDeltaTimeMs: 120 * SECOND }, 'other')
    assert.deepEqual(await provider.recompute('realm'), { updated: 3, removed: 0 })
    assert.deepEqual(await provider.recompute('realm'), { updated: 0, removed: 0 })
    assert.equal((await provider.get('realm', 'alice'))?.expiresAt, start + 120 * SECOND)
    assert.equal((await provider.get('other', 'alice'))?.expiresAt, start + 60 * SECOND)
    protect(stage, { maxDeltaTimeMs: 20 * SECOND })
    assert.deepEqual(await provider.recompute('realm'), { updated: 1, removed: 2 })
    assert.equal(await provider.get('realm', 'alice'), undefined)
    assert.equal(await countOf(provider, 'carol'), 1)
  })

  add.basic('recompute: a realm that is no longer protected has no records', '§11.1', async (stage) => {
    const { provider } = stage
    protect(stage, { permanentLockout: true })
    await fail(provider, 2)
    await fail(provider, 1, {}, 'bob')
    stage.setRealm('realm', { bruteForce: { ...TEST_REALM, enabled: false } })
    await assertNotLocked(stage)
    assert.deepEqual(await provider.recompute('realm'), { updated: 0, removed: 2 })
    protect(stage, { permanentLockout: true })
    await assertNotLocked(stage)
  })

  add.basic(
    'recompute: permanent mode keeps records for ever, and lets them go again',
    '§11.1',
    async (stage) => {
      const { provider, clock } = stage
      protect(stage)
      await fail(provider)
      protect(stage, { permanentLockout: true })
      assert.deepEqual(await provider.recompute('realm'), { updated: 1, removed: 0 })
      clock.advance(61 * SECOND)
      assert.equal(await countOf(provider), 1)
      protect(stage, { maxDeltaTimeMs: 90 * SECOND })
      assert.deepEqual(await provider.recompute('realm'), { updated: 1, removed: 0 })
      clock.advance(29 * SECOND)
      assert.equal(await provider.get('realm', 'alice'), undefined)
    },
  )

  add.basic(
    'check: who had lock-outs is locked for good once the realm is in permanent mode',
    'A12/150',
    async (stage) => {
      const { provider, clock } = stage
      protect(stage)
      await fail(provider, 2)
      clock.advance(21 * SECOND)
      await assertNotLocked(stage)
      protect(stage, { permanentLockout: true })
      await assertLockedForGood(stage)
      assert.equal((await provider.status('realm', 'alice')).disabled, true)
      assert.equal(await provider.clear('realm', 'alice'), true)
      await assertNotLocked(stage)
      assert.equal((await provider.status('realm', 'alice')).numFailures, 0)
    },
  )

  add.basic('recompute, removeByRealm: more records than one step takes', '§8 D9', async (stage) => {
    const { provider } = stage
    protect(stage, { failureFactor: 9 })
    for (let start = 0; start < 2_400; start += 400) {
      await Promise.all(
        Array.from({ length: 400 }, (_, n) => provider.recordFailure('realm', `user-${start + n}`)),
      )
    }
    protect(stage, { failureFactor: 9, maxDeltaTimeMs: 90 * SECOND })
    assert.deepEqual(await provider.recompute('realm'), { updated: 2_400, removed: 0 })
    assert.equal(await provider.removeByRealm('realm'), 2_400)
    assert.equal(await provider.removeByRealm('realm'), 0)
  })
}
