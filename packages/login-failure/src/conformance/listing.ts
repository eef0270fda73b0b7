import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { LoginFailureProvider } from '../contract.js'
import { allLocked, fail, protect, RACERS, SECOND, usersLocked } from './fixture.js'

const IP = '203.0.113.7'

/** Who is locked out now. */
export function listing(add: SuiteBuilder<LoginFailureProvider>): void {
  add.basic(
    'listLocked: whom, until when and why, those that are locked for good last; others and other realms are not there',
    'contract',
    async (stage) => {
      const { provider, clock } = stage
      protect(stage, { permanentLockout: true, maxTemporaryLockouts: 1, quickLoginCheckMs: 0 })
      protect(stage, { quickLoginCheckMs: 0 }, 'other')
      assert.deepEqual(await provider.listLocked('realm'), { items: [] })
      const start = clock.now()
      await fail(provider, 2, {}, 'bob')
      await provider.recordFailure('realm', 'dave')
      await provider.recordFailure('other', 'eve')
      await provider.recordFailure('other', 'eve')
      clock.advance(25 * SECOND)
      await fail(provider, 2, {}, 'carol')
      await fail(provider, 2, {}, 'bob')
      await fail(provider, 2, {}, 'alice')
      clock.advance(SECOND)
      const at = start + 25 * SECOND
      const lock = {
        permanent: false,
        reason: 'failures',
        numFailures: 2,
        lastFailureAt: at,
        until: at + 20 * SECOND,
      }
      const locked = await allLocked(provider)
      assert.deepEqual(locked.slice(0, 2).sort(byUser), [
        { ...lock, subject: { rule: 'user', userId: 'alice' } },
        { ...lock, subject: { rule: 'user', userId: 'carol' } },
      ])
      assert.deepEqual(locked.slice(2), [
        {
          subject: { rule: 'user', userId: 'bob' },
          permanent: true,
          reason: 'failures',
          numFailures: 3,
          lastFailureAt: at,
        },
      ])
      assert.deepEqual(await usersLocked(provider, 'other'), [])
    },
  )

  add.expiry(
    'listLocked: to the last millisecond of the lock, and not at its end',
    'contract',
    async (stage) => {
      const { provider, clock } = stage
      protect(stage)
      await fail(provider, 2)
      clock.advance(20 * SECOND - 1)
      assert.deepEqual(await usersLocked(provider), ['alice'])
      clock.advance(1)
      assert.deepEqual(await usersLocked(provider), [])
      await fail(provider, 2)
      assert.deepEqual(await usersLocked(provider), ['alice'], 'locked again')
    },
  )

  add.basic('listLocked: who was cleared, or succeeded, is no longer there', 'contract', async (stage) => {
    const { provider } = stage
    protect(stage, { quickLoginCheckMs: 0 })
    for (const user of ['alice', 'bob', 'carol']) await fail(provider, 2, {}, user)
    await provider.clear('realm', 'alice')
    assert.deepEqual((await usersLocked(provider)).sort(), ['bob', 'carol'])
    await provider.recordSuccess('realm', 'bob')
    assert.deepEqual(await usersLocked(provider), ['carol'])
    await provider.removeByRealm('realm')
    assert.deepEqual(await usersLocked(provider), [])
    await fail(provider, 2)
    assert.deepEqual(await usersLocked(provider), ['alice'])
  })

  add.basic(
    'listLocked: networks, too; nobody where the realm is not protected',
    'contract',
    async (stage) => {
      protect(stage, { quickLoginCheckMs: 0, failureFactor: 9 })
      const provider = await stage.withProperties({ address: { failureFactor: 2 } })
      for (const user of ['alice', 'bob']) await provider.recordFailure('realm', user, { ip: IP })
      const [network, ...others] = await allLocked(provider)
      assert.deepEqual(others, [])
      assert.deepEqual(network?.subject, { rule: 'address', network: `${IP}/32` })
      protect(stage, { enabled: false })
      assert.deepEqual(await allLocked(provider), [])
      protect(stage, { quickLoginCheckMs: 0, failureFactor: 9 })
      assert.equal((await allLocked(provider)).length, 1)
      await provider.clearAddress('realm', IP)
      assert.deepEqual(await allLocked(provider), [])
    },
  )

  add.basic('listLocked: a name that belongs to nobody is not there', 'contract', async (stage) => {
    protect(stage, { quickLoginCheckMs: 0 })
    const guess = () => stage.provider.guardUnknownUser('realm', { username: 'nobody' }, async () => false)
    await guess()
    await guess()
    assert.equal((await guess()).outcome, 'locked')
    assert.deepEqual(await allLocked(stage.provider), [])
  })

  add.basic('listLocked: after recompute as the settings of now have it', '§11.1, A12/150', async (stage) => {
    const { provider, clock } = stage
    const lasting = { maxDeltaTimeMs: 600 * SECOND, quickLoginCheckMs: 0 }
    protect(stage, lasting)
    await fail(provider, 2)
    clock.advance(21 * SECOND)
    await fail(provider, 1, {}, 'bob')
    assert.deepEqual(await allLocked(provider), [])
    protect(stage, { ...lasting, permanentLockout: true })
    await provider.recompute('realm')
    const locked = await allLocked(provider)
    assert.deepEqual(
      locked.map(({ subject, permanent, until }) => ({ subject, permanent, until })),
      [{ subject: { rule: 'user', userId: 'alice' }, permanent: true, until: undefined }],
    )
    protect(stage, lasting)
    assert.deepEqual(await allLocked(provider), [], 'at once, before it is recomputed')
    await provider.recompute('realm')
    assert.deepEqual(await allLocked(provider), [])
  })

  add.basic(
    'listLocked: over pages none is missed and none comes twice, whenever locks end',
    'contract',
    async (stage) => {
      const { provider, clock } = stage
      protect(stage, { permanentLockout: true, maxTemporaryLockouts: 1, quickLoginCheckMs: 0 })
      const lock = (users: readonly string[]) =>
        together(users.length, async (n) => void (await fail(provider, 2, {}, users[n])))
      const forGood = Array.from({ length: 40 }, (_, n) => `for good ${n}`)
      await lock(forGood)
      clock.advance(30 * SECOND)
      await lock(forGood)
      const together40 = Array.from({ length: 40 }, (_, n) => `together ${n}`)
      await lock(together40)
      const later = Array.from({ length: 10 }, (_, n) => `later ${n}`)
      for (const user of later) {
        clock.advance(1)
        await lock([user])
      }
      const everybody = [...together40, ...later, ...forGood]
      for (const limit of [1, 7, 100]) {
        const locked = await allLocked(provider, 'realm', limit)
        const users = locked.flatMap(({ subject }) => (subject.rule === 'user' ? [subject.userId] : []))
        assert.deepEqual([...users].sort(), [...everybody].sort())
        assert.deepEqual(users.slice(40, 50), later)
        assert.ok(locked.slice(50).every(({ permanent }) => permanent))
      }
      assert.equal((await provider.listLocked('realm')).items.length, 20, 'unless asked for more')
    },
  )

  add.concurrency('listLocked: everybody whom N at once locked, on two nodes', 'contract', async (stage) => {
    const { provider } = stage
    protect(stage, { quickLoginCheckMs: 0 })
    const nodes = [provider, await stage.anotherNode()]
    const users = Array.from({ length: RACERS }, (_, n) => `user ${n % 10}`)
    await together(RACERS, (n) =>
      (nodes[n % 2] as LoginFailureProvider).recordFailure('realm', users[n] as string),
    )
    for (const node of nodes) {
      assert.deepEqual((await usersLocked(node)).sort(), [...new Set(users)].sort())
    }
  })

  add.basic('listLocked: a cursor names nobody, and another text is none', 'contract', async (stage) => {
    const { provider } = stage
    protect(stage, { quickLoginCheckMs: 0 })
    for (const user of ['alice', 'bob']) await fail(provider, 2, {}, user)
    const { items, cursor = '' } = await provider.listLocked('realm', { limit: 1 })
    assert.equal(items.length, 1)
    assert.match(cursor, /^[\w-]{20}$/)
    assert.ok(!/alice|bob/.test(Buffer.from(cursor, 'base64url').toString('latin1')))
    const second = await provider.listLocked('realm', { limit: 1, cursor })
    assert.equal(second.items.length, 1)
    assert.notDeepEqual(second.items, items)
    const refused: [unknown, string, RegExp][] = [
      [{ cursor: 'none' }, 'TypeError', /page\.cursor/],
      [{ cursor: '' }, 'TypeError', /page\.cursor/],
      [{ limit: 0 }, 'RangeError', /page\.limit/],
      [{ limit: 101 }, 'RangeError', /page\.limit/],
    ]
    for (const [page, name, message] of refused)
      await assert.rejects(provider.listLocked('realm', page as never), { name, message })
  })
}

const byUser = (
  { subject: a }: { readonly subject: { readonly rule: string; readonly userId?: string } },
  { subject: b }: { readonly subject: { readonly rule: string; readonly userId?: string } },
): number => ((a.userId ?? '') < (b.userId ?? '') ? -1 : 1)
