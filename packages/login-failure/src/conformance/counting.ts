import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { LoginFailureProvider } from '../contract.js'
import { countOf, fail, protect, RACERS, ROUNDS, SECOND } from './fixture.js'

/** What is counted, and what is not. */
export function counting(add: SuiteBuilder<LoginFailureProvider>): void {
  add.basic('get: undefined for a user without failures', '§11.1', async ({ provider }) => {
    assert.equal(await provider.get('realm', 'nobody'), undefined)
  })

  add.basic('recordFailure: the first failure makes a record', 'A11/125', async (stage) => {
    protect(stage)
    const { provider, clock } = stage
    assert.deepEqual(await fail(provider), {
      counted: true,
      numFailures: 1,
      numTemporaryLockouts: 0,
      numSecondaryAuthFailures: 0,
      locked: false,
      permanent: false,
      newlyLocked: false,
    })
    assert.deepEqual(await provider.get('realm', 'alice'), {
      numFailures: 1,
      numTemporaryLockouts: 0,
      numSecondaryAuthFailures: 0,
      lastFailureAt: clock.now(),
      expiresAt: clock.now() + 60 * SECOND,
    })
  })

  add.basic('recordFailure: adds to what is there', 'A11/126', async (stage) => {
    protect(stage, { failureFactor: 1 })
    const { provider, clock } = stage
    await fail(provider)
    clock.advance(20 * SECOND + 5)
    const at = clock.now() - 5
    await fail(provider, 1, { at, ip: '127.0.1.1' })
    clock.advance(40 * SECOND)
    assert.deepEqual(await provider.get('realm', 'alice'), {
      numFailures: 2,
      numTemporaryLockouts: 2,
      numSecondaryAuthFailures: 0,
      lastFailureAt: at,
      lastIp: '127.0.1.1',
      lockedUntil: at + 40 * SECOND,
      expiresAt: at + 60 * SECOND,
    })
  })

  add.basic('recordFailure: a failure without an address keeps the last one', 'contract', async (stage) => {
    protect(stage, { failureFactor: 9, quickLoginCheckMs: 0 })
    await fail(stage.provider, 1, { ip: '2001:0DB8::0001' })
    await fail(stage.provider)
    assert.equal((await stage.provider.get('realm', 'alice'))?.lastIp, '2001:db8::1')
  })

  add.basic('recordFailure: nothing is counted while locked', 'A12/137, A12/143', async (stage) => {
    protect(stage)
    const { provider, clock } = stage
    const locked = await fail(provider, 2)
    assert.equal(locked.newlyLocked, true)
    clock.advance(19 * SECOND)
    const before = await provider.get('realm', 'alice')
    const refused = await fail(provider, 3, { ip: '127.0.0.9' })
    assert.deepEqual(refused, { ...locked, counted: false, newlyLocked: false })
    assert.deepEqual(await provider.get('realm', 'alice'), before)
  })

  add.basic('recordFailure: nothing is counted where the realm is not protected', '§11.2', async (stage) => {
    const { provider } = stage
    const outcome = await fail(provider, 40)
    assert.deepEqual(outcome, {
      counted: false,
      numFailures: 0,
      numTemporaryLockouts: 0,
      numSecondaryAuthFailures: 0,
      locked: false,
      permanent: false,
      newlyLocked: false,
    })
    assert.equal(await provider.get('realm', 'alice'), undefined)
    assert.deepEqual(await provider.check('realm', 'alice'), { locked: false })
  })

  add.basic('recordUnknownUser: leaves no record of a user', 'A12/163', async (stage) => {
    protect(stage)
    const { provider } = stage
    for (let n = 0; n < 5; n++) {
      const outcome = await provider.recordUnknownUser('realm', { ip: '127.0.0.1' })
      assert.equal(outcome.locked, false)
      assert.equal(outcome.numFailures, 0)
    }
    assert.equal(await provider.removeByRealm('realm'), 0)
  })

  add.basic(
    'ids: a user is one record, whatever name was typed; names do not collide',
    'A12/147, A12/148, §19 row 9',
    async (stage) => {
      const { provider } = stage
      const ids = [
        ['a:b', 'c'],
        ['a', 'b:c'],
        ['a', 'b%3ac'],
        ['{a}', 'c'],
        ['a', '😀 {x}%'],
        ['__proto__', 'constructor'],
      ] as const
      for (const [realmId] of ids) protect(stage, { failureFactor: 99, quickLoginCheckMs: 0 }, realmId)
      for (const [index, [realmId, userId]] of ids.entries()) {
        for (let n = 0; n <= index; n++) await provider.recordFailure(realmId, userId)
      }
      for (const [index, [realmId, userId]] of ids.entries()) {
        assert.equal((await provider.get(realmId, userId))?.numFailures, index + 1)
      }
    },
  )

  add.basic('recordFailure: another realm and another user are untouched', '§1.4', async (stage) => {
    protect(stage)
    protect(stage, {}, 'other')
    await fail(stage.provider, 2)
    assert.deepEqual(await stage.provider.check('other', 'alice'), { locked: false })
    assert.deepEqual(await stage.provider.check('realm', 'bob'), { locked: false })
    assert.equal(await stage.provider.get('other', 'alice'), undefined)
  })

  add.basic('recordFailure: a time to come counts as now', 'contract', async (stage) => {
    protect(stage, { failureFactor: 9 })
    await fail(stage.provider, 1, { at: stage.clock.now() + 1 })
    assert.equal((await stage.provider.get('realm', 'alice'))?.lastFailureAt, stage.clock.now())
  })

  add.basic(
    'recordFailure: a clock that was set back undoes nothing',
    'issue 5: bad input',
    async (stage) => {
      protect(stage, { failureFactor: 9 })
      const { provider, clock } = stage
      await fail(provider)
      const lastFailureAt = clock.now()
      clock.advance(-30 * SECOND)
      const outcome = await fail(provider)
      assert.equal(outcome.numFailures, 2)
      assert.equal(outcome.locked, false, 'half a minute between failures is not quick, in either direction')
      assert.equal((await provider.get('realm', 'alice'))?.lastFailureAt, lastFailureAt)
    },
  )

  add.concurrency(
    'recordFailure: N at once on two nodes are each counted',
    'A11/127, §19 rows 6, 34',
    async (stage) => {
      protect(stage, { failureFactor: 1_000_000, quickLoginCheckMs: 0 })
      const nodes = [stage.provider, await stage.anotherNode()]
      const outcomes = await together(RACERS, (n) =>
        (nodes[n % 2] as LoginFailureProvider).recordFailure('realm', 'alice'),
      )
      assert.deepEqual(
        outcomes.map(({ numFailures }) => numFailures).sort((a, b) => a - b),
        Array.from({ length: RACERS }, (_, n) => n + 1),
      )
    },
  )

  add.concurrency(
    'recordFailure: at the end of the reset time no failure erases another',
    'A12/140, §19 row 6',
    async (stage) => {
      protect(stage, { failureFactor: 1_000, quickLoginCheckMs: 0, maxDeltaTimeMs: 5 * SECOND })
      const nodes = [stage.provider, await stage.anotherNode()]
      for (let round = 0; round < ROUNDS; round++) {
        await fail(stage.provider)
        stage.clock.advance(5 * SECOND + (round % 2))
        await together(8, (n) => (nodes[n % 2] as LoginFailureProvider).recordFailure('realm', 'alice'))
        assert.equal(await countOf(stage.provider), 8)
        await stage.provider.clear('realm', 'alice')
      }
    },
  )

  add.concurrency(
    'clear: beats the failures before it, and loses none after it',
    'A11/128',
    async (stage) => {
      protect(stage, { failureFactor: 1_000_000, quickLoginCheckMs: 0 })
      const other = await stage.anotherNode()
      for (let round = 0; round < ROUNDS; round++) {
        await fail(stage.provider, 10)
        const [, ...later] = await Promise.all([
          stage.provider.clear('realm', 'alice'),
          ...Array.from({ length: 4 }, () => other.recordFailure('realm', 'alice')),
        ])
        const before = later.filter(({ numFailures }) => numFailures > 10).length
        assert.equal(await countOf(stage.provider), 4 - before)
        await stage.provider.clear('realm', 'alice')
      }
    },
  )

  add.concurrency(
    'recordFailure: exactly one of N at once sets the lock, and no more than the factor are counted',
    'A12/165, §19 row 5',
    async (stage) => {
      protect(stage)
      const nodes = [stage.provider, await stage.anotherNode()]
      for (let round = 0; round < ROUNDS; round++) {
        const outcomes = await together(20, (n) =>
          (nodes[n % 2] as LoginFailureProvider).recordFailure('realm', `u${round}`),
        )
        assert.equal(outcomes.filter(({ newlyLocked }) => newlyLocked).length, 1)
        assert.equal(outcomes.filter(({ counted }) => counted).length, 2)
        assert.equal(await countOf(stage.provider, `u${round}`), 2)
      }
    },
  )
}
