import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { LoginFailureProvider } from '../contract.js'
import { countOf, protect, SECOND } from './fixture.js'

const address = { failureFactor: 3, waitIncrementMs: 50 * SECOND, maxDeltaTimeMs: 300 * SECOND }

/** The rule that counts by network address. */
export function addresses(add: SuiteBuilder<LoginFailureProvider>): void {
  add.basic('address: not counted unless configured', 'issue 5', async (stage) => {
    protect(stage)
    for (const userId of ['a', 'b', 'c', 'd'])
      await stage.provider.recordFailure('realm', userId, { ip: '192.0.2.1' })
    assert.equal(await stage.provider.getAddress('realm', '192.0.2.1'), undefined)
    assert.equal(await stage.provider.clearAddress('realm', '192.0.2.1'), false)
  })

  add.basic(
    'address: locked by failures of many users, and by its own policy',
    'issue 5, peers B 38',
    async (stage) => {
      protect(stage)
      const { clock } = stage
      const provider = await stage.withProperties({ address })
      const ip = '192.0.2.1'
      await provider.recordFailure('realm', 'a', { ip })
      await provider.recordUnknownUser('realm', { ip })
      assert.deepEqual(await provider.check('realm', 'x', { ip }), { locked: false })
      const outcome = await provider.recordFailure('realm', 'c', { ip })
      const until = clock.now() + 50 * SECOND
      const lock = { locked: true, until, permanent: false, reason: 'failures', rule: 'address' }
      assert.deepEqual(outcome, {
        counted: true,
        numFailures: 1,
        numTemporaryLockouts: 0,
        numSecondaryAuthFailures: 0,
        ...lock,
        newlyLocked: true,
      })
      assert.deepEqual(await provider.check('realm', 'x', { ip }), lock)
      assert.deepEqual(await provider.check('realm', 'x'), { locked: false })
      assert.deepEqual(await provider.check('realm', 'x', { ip: '192.0.2.2' }), { locked: false })
      const { locked, ...rest } = lock
      const never = () => assert.fail('must not be verified')
      assert.deepEqual(await provider.guard('realm', 'x', { ip }, never), { outcome: 'locked', ...rest })
      assert.deepEqual(await provider.guardUnknownUser('realm', { ip }, never), {
        outcome: 'locked',
        ...rest,
      })
      assert.equal(await countOf(provider, 'x'), 0)
      const { rules } = await provider.explain('realm', 'x', { ip })
      assert.deepEqual(
        rules.map(({ rule, locked }) => [rule, locked]),
        [
          ['address', true],
          ['user', false],
        ],
      )
      assert.equal(await provider.clearAddress('realm', ip), true)
      assert.deepEqual(await provider.check('realm', 'x', { ip }), { locked: false })
    },
  )

  add.basic(
    'address: one network is one count; IPv4 in IPv6 is IPv4',
    'issue 5, peers B 38',
    async (stage) => {
      protect(stage)
      const provider = await stage.withProperties({ address: { ...address, failureFactor: 99 } })
      const groups = [
        ['2001:db8:1:2::1', '2001:DB8:1:2:ffff::', '2001:db8:1:2:3:4:5:6'],
        ['2001:db8:1:3::1'],
        ['203.0.113.7', '::ffff:203.0.113.7', '::ffff:cb00:7107'],
        ['203.0.113.8'],
        ['fe80::1', 'fe80::2%eth0'],
      ]
      for (const group of groups) for (const ip of group) await provider.recordUnknownUser('realm', { ip })
      for (const group of groups) {
        for (const ip of group)
          assert.equal((await provider.getAddress('realm', ip))?.numFailures, group.length, ip)
      }
      const wide = await stage.withProperties({
        address: { ...address, failureFactor: 99, ipv4Prefix: 24, ipv6Prefix: 48 },
      })
      await wide.removeByRealm('realm')
      for (const ip of ['198.51.100.1', '198.51.100.255', '2001:db8:5:1::', '2001:db8:5:2::']) {
        await wide.recordUnknownUser('realm', { ip })
      }
      assert.equal((await wide.getAddress('realm', '198.51.100.77'))?.numFailures, 2)
      assert.equal((await wide.getAddress('realm', '2001:db8:5:ffff::'))?.numFailures, 2)
    },
  )

  add.basic('address: a success does not hide its failures', 'issue 5', async (stage) => {
    protect(stage)
    const provider = await stage.withProperties({ address })
    const ip = '192.0.2.1'
    await provider.recordUnknownUser('realm', { ip })
    await provider.recordSuccess('realm', 'mallory')
    await provider.guard('realm', 'mallory', { ip }, async () => true)
    assert.equal((await provider.getAddress('realm', ip))?.numFailures, 1)
  })

  add.basic('address: realms do not share counts, and removeByRealm removes them', '§1.4', async (stage) => {
    protect(stage)
    protect(stage, {}, 'other')
    const provider = await stage.withProperties({ address })
    const ip = '192.0.2.1'
    await provider.recordFailure('realm', 'alice', { ip })
    await provider.recordUnknownUser('other', { ip })
    assert.equal(await provider.removeByRealm('realm'), 2)
    assert.equal(await provider.getAddress('realm', ip), undefined)
    assert.equal((await provider.getAddress('other', ip))?.numFailures, 1)
  })

  add.expiry('address: its record has a life of its own', 'issue 5', async (stage) => {
    protect(stage)
    const provider = await stage.withProperties({ address })
    const ip = '192.0.2.1'
    await provider.recordFailure('realm', 'alice', { ip })
    stage.clock.advance(60 * SECOND)
    assert.equal(await provider.get('realm', 'alice'), undefined)
    stage.clock.advance(240 * SECOND - 1)
    assert.equal((await provider.getAddress('realm', ip))?.numFailures, 1)
    stage.clock.advance(1)
    assert.equal(await provider.getAddress('realm', ip), undefined)
  })

  add.basic(
    'recompute: addresses follow their own policy, and go with the protection',
    '§11.1',
    async (stage) => {
      protect(stage)
      const ip = '192.0.2.1'
      const provider = await stage.withProperties({ address })
      await provider.recordFailure('realm', 'alice', { ip })
      protect(stage, { maxDeltaTimeMs: 120 * SECOND })
      assert.deepEqual(await provider.recompute('realm'), { updated: 1, removed: 0 })
      assert.equal((await provider.getAddress('realm', ip))?.expiresAt, stage.clock.now() + 300 * SECOND)
      stage.setRealm('realm', {})
      assert.deepEqual(await provider.recompute('realm'), { updated: 0, removed: 2 })
    },
  )

  add.concurrency(
    'guard: guesses spread over many users from one address get no more verifications than its policy allows',
    'issue 5, §19 row 5',
    async (stage) => {
      protect(stage, { failureFactor: 30 })
      const nodes = [await stage.withProperties({ address }), await stage.withProperties({ address })]
      let verified = 0
      const outcomes = await together(40, (n) =>
        (nodes[n % 2] as LoginFailureProvider).guard('realm', `user-${n}`, { ip: '192.0.2.1' }, async () => {
          verified += 1
          await new Promise(setImmediate)
          return false
        }),
      )
      assert.equal(verified, 3)
      assert.equal(outcomes.filter(({ outcome }) => outcome === 'locked').length, 37)
      assert.equal(
        (await (nodes[0] as LoginFailureProvider).getAddress('realm', '192.0.2.1'))?.numFailures,
        3,
      )
    },
  )

  add.concurrency(
    'guard: right passwords of many users from one address all succeed',
    'issue 5, §19 row 33',
    async (stage) => {
      protect(stage)
      const provider = await stage.withProperties({ address })
      const outcomes = await together(40, (n) =>
        provider.guard('realm', `user-${n % 20}`, { ip: '192.0.2.1' }, async () => {
          await new Promise(setImmediate)
          return true
        }),
      )
      assert.equal(outcomes.filter(({ outcome }) => outcome === 'success').length, 40)
    },
  )

  add.basic(
    'guard: both rules in two commands each, one round trip before and one after',
    '§8 D1',
    async (stage) => {
      protect(stage)
      if (stage.commands === undefined) return
      const provider = await stage.withProperties({ address })
      const attempt = () => provider.guard('realm', 'alice', { ip: '192.0.2.1' }, async () => true)
      await attempt()
      const before = stage.commands()
      await attempt()
      assert.equal(stage.commands() - before, 4)
    },
  )

  add.expiry('guard: an attempt that never ends frees the address too', 'issue 5', async (stage) => {
    protect(stage, { failureFactor: 1 })
    const provider = await stage.withProperties({
      address: { ...address, failureFactor: 1 },
      guardWaitMs: 0,
      reservationMs: 5 * SECOND,
    })
    const ip = '192.0.2.1'
    const hang = (userId: string): Promise<void> =>
      new Promise((begun) => {
        const never = () => {
          begun()
          return new Promise<boolean>(() => {})
        }
        provider.guard('realm', userId, { ip }, never).catch(() => {})
      })
    await hang('alice')
    const other = () => provider.guard('realm', 'bob', { ip }, async () => true)
    assert.deepEqual(await other(), {
      outcome: 'locked',
      permanent: false,
      reason: 'concurrent-attempts',
      rule: 'address',
    })
    stage.clock.advance(5 * SECOND)
    assert.deepEqual(await other(), { outcome: 'success' })
    await hang('alice')
  })
}
