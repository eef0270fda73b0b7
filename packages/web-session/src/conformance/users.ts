import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { WebSessionProvider } from '../contract.js'
import { idsOfUser, LIFE_MS, outcomeOf, ROUNDS, read, saved, session, TOMBSTONE_MS } from './fixture.js'

/** Whose sessions they are, and the end of all of a user's. */
export function users(add: SuiteBuilder<WebSessionProvider>): void {
  add.basic(
    'userId: a session stands under the user whose it is now',
    'peers 7',
    async ({ provider, clock }) => {
      await saved(provider, 's')
      assert.deepEqual(await idsOfUser(provider, 'u'), [])
      clock.advance(1_000)
      await provider.update('r', 's', { userId: 'u', set: { in: true } })
      assert.deepEqual(await idsOfUser(provider, 'u'), ['s'])
      const signedIn = await read(provider, 's')
      assert.deepEqual([signedIn.userId, signedIn.authenticatedAt], ['u', clock.now()])
      await provider.update('r', 's', { set: { more: 1 } })
      await provider.update('r', 's', { userId: 'u' })
      await saved(provider, 's', { userId: 'u' })
      assert.equal(
        (await read(provider, 's')).authenticatedAt,
        signedIn.authenticatedAt,
        'it is the same sign-in',
      )
      clock.advance(1)
      await saved(provider, 's', { userId: 'w', authenticatedAt: clock.now() - 1 })
      assert.deepEqual([await idsOfUser(provider, 'u'), await idsOfUser(provider, 'w')], [[], ['s']])
      assert.equal((await read(provider, 's')).authenticatedAt, clock.now() - 1)
      await provider.update('r', 's', { userId: 'u', authenticatedAt: clock.now() })
      assert.deepEqual([await idsOfUser(provider, 'u'), await idsOfUser(provider, 'w')], [['s'], []])
      await provider.update('r', 's', { userId: null })
      assert.deepEqual(await idsOfUser(provider, 'u'), [])
      const { userId, authenticatedAt } = await read(provider, 's')
      assert.deepEqual([userId, authenticatedAt], [undefined, undefined])
      await saved(provider, 's', { userId: 'u' })
      assert.deepEqual(await idsOfUser(provider, 'u'), ['s'], 'it ends when it ended before')
      await saved(provider, 's')
      assert.deepEqual(await idsOfUser(provider, 'u'), [])
    },
  )

  add.basic('removeByUser: ends every session of the user and no other', 'contract', async ({ provider }) => {
    for (let n = 0; n < 25; n++) await saved(provider, `u${n}`, { userId: 'u', labels: { l: 'v' } })
    await saved(provider, 'w', { userId: 'w' })
    await saved(provider, 'nobody')
    await saved(provider, 'u0', { userId: 'u' }, 'r2')
    assert.equal(await provider.removeByUser('r', 'u'), 25)
    assert.equal(await provider.removeByUser('r', 'u'), 0)
    assert.deepEqual(await idsOfUser(provider, 'u'), [])
    assert.deepEqual((await provider.listByLabel('r', 'l', 'v')).items, [])
    assert.equal(await provider.count('r'), 2)
    assert.notEqual(await provider.get('r2', 'u0'), undefined)
    for (let n = 0; n < 25; n++) assert.equal(await outcomeOf(provider, `u${n}`), 'refused', 'it stays ended')
  })

  add.basic(
    'removeByUser: the session that is excepted lives on',
    'contract',
    async ({ provider, clock }) => {
      const authenticatedAt = clock.now()
      clock.advance(1)
      for (let n = 0; n < 21; n++) await saved(provider, `s${n}`, { userId: 'u', authenticatedAt })
      clock.advance(1)
      assert.equal(await provider.removeByUser('r', 'u', { except: 's7' }), 20)
      assert.deepEqual(await idsOfUser(provider, 'u'), ['s7'])
      // It is the user's already: what its own requests write is no sign-in.
      await saved(provider, 's7', { userId: 'u', authenticatedAt })
      assert.equal(await provider.update('r', 's7', { userId: 'u', authenticatedAt, set: { a: 1 } }), 3)
      assert.equal(await provider.removeByUser('r', 'u', { except: 'another' }), 1)
    },
  )

  add.basic(
    'removeByUser: a sign-in that began before is refused, however late it comes',
    'issue: fence',
    async ({ provider, clock }) => {
      const authenticatedAt = clock.now()
      await saved(provider, 'anonymous')
      await provider.removeByUser('r', 'u')
      // Of the same millisecond nobody can tell.
      for (const ms of [0, 1, LIFE_MS - 2]) {
        clock.advance(ms)
        assert.equal(await outcomeOf(provider, 'new', { userId: 'u', authenticatedAt }), 'refused')
        assert.equal(await provider.update('r', 'anonymous', { userId: 'u', authenticatedAt }), undefined)
        assert.equal(await outcomeOf(provider, 'anonymous', { userId: 'u', authenticatedAt }), 'refused')
      }
      const { userId, data, version } = await read(provider, 'anonymous')
      assert.deepEqual([userId, data, version], [undefined, { n: 1 }, 1], 'nothing has changed')
      assert.equal(await provider.get('r', 'new'), undefined)
      assert.deepEqual(await idsOfUser(provider, 'u'), [])
      assert.equal(await outcomeOf(provider, 'new', { userId: 'w', authenticatedAt }), 'stored')
      assert.equal(
        (await provider.save('r2', 'new', session({ userId: 'u', authenticatedAt }))).outcome,
        'stored',
      )
    },
  )

  add.basic(
    'removeByUser: a sign-in that begins afterwards stands',
    'issue: fence',
    async ({ provider, clock }) => {
      await saved(provider, 'anonymous')
      await provider.removeByUser('r', 'u')
      // At once, by whoever was asked for the removal.
      await saved(provider, 'now', { userId: 'u' })
      assert.equal(await provider.update('r', 'anonymous', { userId: 'u' }), 2)
      clock.advance(1)
      const authenticatedAt = clock.now()
      clock.advance(5_000)
      await saved(provider, 'later', { userId: 'u', authenticatedAt })
      assert.deepEqual(await idsOfUser(provider, 'u'), ['anonymous', 'later', 'now'])
    },
  )

  add.expiry('removeByUser: refuses for tombstoneMs', 'contract', async ({ provider, clock }) => {
    const authenticatedAt = clock.now()
    clock.advance(1)
    await provider.removeByUser('r', 'u')
    clock.advance(TOMBSTONE_MS - 1)
    assert.equal(await outcomeOf(provider, 's', { userId: 'u', authenticatedAt }), 'refused')
  })

  add.concurrency(
    'removeByUser: at the same time as sign-ins that began before, leaves none of them alive',
    'issue: fence, peers 2',
    async ({ provider, anotherNode, clock }) => {
      const nodes = [provider, await anotherNode(), await anotherNode()]
      for (let round = 0; round < ROUNDS; round++) {
        clock.advance(1)
        const authenticatedAt = clock.now()
        for (let n = 0; n < 10; n += 2) await saved(provider, `s${round}-${n}`)
        clock.advance(1)
        const removed: Promise<number>[] = []
        await together(20, async (n) => {
          const node = nodes[n % 3] ?? provider
          if (n === round % 20) removed.push((nodes[round % 3] ?? provider).removeByUser('r', 'u'))
          if (n % 2 === 0) return node.update('r', `s${round}-${n}`, { userId: 'u', authenticatedAt })
          return node.save('r', `s${round}-${n}`, session({ userId: 'u', authenticatedAt }))
        })
        await Promise.all(removed)
        assert.deepEqual(await idsOfUser(provider, 'u'), [])
        for (let n = 0; n < 20; n++) {
          assert.equal((await provider.get('r', `s${round}-${n}`))?.userId, undefined)
        }
      }
    },
  )

  add.basic('removeByLabel: ends what bears the label now', 'contract', async ({ provider }) => {
    for (let n = 0; n < 12; n++)
      await saved(provider, `s${n}`, { userId: 'u', labels: { sid: String(n % 2), all: '1' } })
    assert.equal(await provider.removeByLabel('r', 'sid', '0'), 6)
    assert.equal(await provider.removeByLabel('r', 'sid', '0'), 0)
    assert.equal(await provider.removeByLabel('r2', 'sid', '1'), 0)
    assert.equal((await idsOfUser(provider, 'u')).length, 6)
    assert.equal(await outcomeOf(provider, 's0', { labels: { sid: '0' } }), 'refused', 'it stays ended')
    assert.equal(await outcomeOf(provider, 'new', { labels: { sid: '0' } }), 'stored')
    assert.equal(await provider.removeByLabel('r', 'all', '1'), 6)
  })
}
