import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { UserSessionProvider } from '../contract.js'
import { createdSession, createS3, DAY, everyPage, ids, login, plain, SECOND, sessionOf } from './fixture.js'

/** Finding and counting many sessions. */
export function listings(add: SuiteBuilder<UserSessionProvider>): void {
  add.basic('pages: a cursor names no session', 'issue', async ({ provider }) => {
    for (let n = 0; n < 3; n++) await provider.create('test', login()).then(createdSession)
    const { items, cursor } = await provider.list('test', { limit: 2 })
    assert.ok(cursor !== undefined)
    const readings = ['utf8', 'latin1', 'hex', 'base64', 'base64url'] as const
    const texts = [cursor, ...readings.map((reading) => Buffer.from(cursor, 'base64url').toString(reading))]
    for (const { id, expiresAt } of items) {
      for (const text of texts) {
        assert.ok(!text.includes(id.slice(8)), 'the secret part of an id')
        assert.ok(!text.includes(String(expiresAt)), 'an end that anybody can read')
      }
    }
  })

  add.basic(
    'records: JSON has the client sessions, and the counts of clients',
    'issue',
    async ({ provider }) => {
      const [s0] = await createS3(provider)
      const expected = Object.keys(plain(s0)?.clients ?? {}).sort()
      for (const session of [s0, await provider.get('test', s0.id), (await provider.list('test')).items[0]]) {
        const read = JSON.parse(JSON.stringify(session)) as { id: string; clients: Record<string, object> }
        if (read.id === s0.id) assert.deepEqual(Object.keys(read.clients).sort(), expected)
        assert.equal(typeof read.clients['test-app'], 'object')
        assert.ok(session?.clients instanceof Map)
      }
      const stats = await provider.clientStats('test')
      assert.deepEqual(JSON.parse(JSON.stringify(stats)), Object.fromEntries(stats))
      assert.equal(stats.get('test-app'), 3)
    },
  )

  add.basic(
    'listByUser, listByClient: exactly whose they are',
    'A1/9, A1/18, A1/22',
    async ({ provider }) => {
      const [s0, s1, s2] = await createS3(provider)
      await createS3(provider, 'test2')
      const byUser = await provider.listByUser('test', 'user1')
      assert.deepEqual(ids(byUser.items), ids([s0, s1]))
      assert.deepEqual(
        byUser.items.map(plain).find((item) => item?.id === s0.id),
        plain(s0),
      )
      assert.deepEqual(ids((await provider.listByUser('test', 'user2')).items), [s2.id])
      assert.deepEqual((await provider.listByUser('test', 'user')).items, [])
      assert.deepEqual(ids((await provider.listByClient('test', 'test-app')).items), ids([s0, s1, s2]))
      assert.deepEqual((await provider.listByClient('test', 'third-party')).items.map(plain), [plain(s0)])
      assert.deepEqual(ids((await provider.list('test')).items), ids([s0, s1, s2]))
      assert.equal(await provider.count('test'), 3)
      assert.equal(await provider.countByClient('test', 'test-app'), 3)
      assert.equal(await provider.countByClient('test', 'third-party'), 1)
      assert.equal(await provider.countByClient('test', 'unknown'), 0)
      assert.deepEqual(
        await provider.clientStats('test'),
        new Map([
          ['test-app', 3],
          ['third-party', 1],
        ]),
      )
      assert.deepEqual(await provider.clientStats('none'), new Map())
    },
  )

  add.basic('pages: disjoint, complete, soonest to end first', 'A1/19', async ({ provider, clock }) => {
    const created: string[] = []
    for (let n = 0; n < 25; n++) {
      clock.advance(SECOND)
      created.push(
        (
          await provider
            .create('test', login(`user${n % 7}`, { client: { clientId: 'test-app' } }))
            .then(createdSession)
        ).id,
      )
    }
    const all = await everyPage((page) => provider.listByClient('test', 'test-app', page), 10)
    assert.deepEqual(
      all.map(({ id }) => id),
      created,
    )
    const first = await provider.listByClient('test', 'test-app', { limit: 10 })
    const second = await provider.listByClient('test', 'test-app', { limit: 10, cursor: first.cursor })
    const third = await provider.listByClient('test', 'test-app', { limit: 10, cursor: second.cursor })
    assert.deepEqual(
      [first, second, third].map(({ items }) => items.length),
      [10, 10, 5],
    )
    assert.equal(third.cursor, undefined)
    assert.equal((await provider.listByClient('test', 'test-app')).items.length, 20)
    for (const limit of [1, 7, 24, 25, 26, 100]) {
      const pages = await everyPage((page) => provider.list('test', page), limit)
      assert.deepEqual(
        pages.map(({ id }) => id),
        created,
      )
    }
    const mine = created.filter((_, n) => n % 7 === 3)
    const ofUser = await everyPage((page) => provider.listByUser('test', 'user3', page), 2)
    assert.deepEqual(
      ofUser.map(({ id }) => id),
      mine,
    )
  })

  add.basic('pages: hundreds that end in one millisecond', 'A4/57', async ({ provider }) => {
    const created = await Promise.all(
      Array.from({ length: 330 }, (_, n) =>
        provider
          .create('test', login(n < 260 ? 'busy' : `user${n}`, { client: { clientId: 'app' } }))
          .then(createdSession),
      ),
    )
    for (const limit of [3, 50, 100]) {
      const all = await everyPage((page) => provider.listByClient('test', 'app', page), limit)
      assert.deepEqual(ids(all), ids(created))
      assert.deepEqual(
        all.map(({ id }) => id),
        ids(all),
        'by id',
      )
    }
    assert.equal((await everyPage((page) => provider.listByUser('test', 'busy', page), 100)).length, 260)
  })

  add.basic('pages: what ends or moves meanwhile loses nobody else', 'issue', async ({ provider, clock }) => {
    const created: string[] = []
    for (let n = 0; n < 30; n++) {
      clock.advance(SECOND)
      created.push((await provider.create('test', login('user1')).then(createdSession)).id)
    }
    const first = await provider.listByUser('test', 'user1', { limit: 10 })
    for (const index of [0, 9, 10, 11]) await provider.remove('test', created[index] as string)
    clock.advance(DAY / 96)
    await provider.refresh('test', created[12] as string)
    await provider.refresh('test', created[1] as string)
    const seen = new Set(ids(first.items))
    let cursor = first.cursor
    while (cursor !== undefined) {
      const page = await provider.listByUser('test', 'user1', { limit: 10, cursor })
      for (const { id } of page.items) seen.add(id)
      cursor = page.cursor
    }
    assert.deepEqual([...seen].sort(), created.filter((_, n) => n !== 10 && n !== 11).sort())
  })

  add.basic(
    'broker: by session and by user, in one realm, for any size of page',
    'A7/96',
    async ({ provider }) => {
      for (const realmId of ['r', 'rr']) {
        for (const userId of ['u1', 'u2']) {
          for (const brokerSessionId of ['bs:1', 'bs:2']) {
            for (const brokerUserId of ['idp.1', 'no-dot']) {
              await provider
                .create(realmId, login(userId, { brokerSessionId, brokerUserId }))
                .then(createdSession)
            }
          }
        }
      }
      for (const realmId of ['r', 'rr']) {
        for (const limit of [1, 4, 8]) {
          for (const [what, list] of [
            ['u1', (page: object) => provider.listByUser(realmId, 'u1', page)],
            ['idp.1', (page: object) => provider.listByBrokerUser(realmId, 'idp.1', page)],
            ['no-dot', (page: object) => provider.listByBrokerUser(realmId, 'no-dot', page)],
          ] as const) {
            const found = await everyPage(list, limit)
            assert.equal(new Set(ids(found)).size, 4, what)
            assert.ok(
              found.every((session) => session.realmId === realmId && Object.values(session).includes(what)),
              what,
            )
          }
        }
        const found = await provider.findByBrokerSession(realmId, 'bs:1')
        assert.equal(found?.realmId, realmId)
        assert.equal(found?.brokerSessionId, 'bs:1')
        assert.equal(await provider.findByBrokerSession(realmId, 'bs'), undefined)
        assert.equal(await provider.findByBrokerSession(realmId, 'bs:1', { offline: true }), undefined)
        assert.deepEqual((await provider.listByBrokerUser(realmId, 'idp')).items, [])
        for (;;) {
          const next = await provider.findByBrokerSession(realmId, 'bs:1')
          if (next === undefined) break
          assert.equal(await provider.remove(realmId, next.id), true)
        }
        assert.equal(await provider.count(realmId), 4)
      }
    },
  )

  add.basic('counts: by client and realm, never from another', 'A7/97', async ({ provider }) => {
    for (const realmId of ['r1', 'r2']) {
      for (const userId of ['a', 'b']) {
        const { id } = await provider
          .create(realmId, login(userId, { client: { clientId: 'c1' } }))
          .then(createdSession)
        await provider.putClientSession(realmId, id, { clientId: 'c2' }).then(sessionOf)
      }
    }
    await provider.create('r2', login('c', { client: { clientId: 'c3' } })).then(createdSession)
    assert.equal(await provider.countByClient('r1', 'c1'), 2)
    assert.equal((await provider.listByClient('r1', 'c2')).items.length, 2)
    assert.deepEqual(
      await provider.clientStats('r1'),
      new Map([
        ['c1', 2],
        ['c2', 2],
      ]),
    )
    assert.deepEqual(
      await provider.clientStats('r2'),
      new Map([
        ['c1', 2],
        ['c2', 2],
        ['c3', 1],
      ]),
    )
  })

  add.basic('counts: hundreds of clients', 'contract', async ({ provider }) => {
    const expected = new Map<string, number>()
    for (const userId of ['a', 'b']) {
      const { id } = await provider.create('test', login(userId)).then(createdSession)
      for (let n = 0; n < 230; n++) {
        await provider.putClientSession('test', id, { clientId: `c${n}` }).then(sessionOf)
        expected.set(`c${n}`, 2)
      }
    }
    const stats = await provider.clientStats('test')
    assert.deepEqual(new Map([...stats].sort()), new Map([...expected].sort()))
  })

  add.expiry(
    'counts: hundreds at the edge of their end',
    'issue: only the living',
    async ({ provider, clock }) => {
      const created: string[] = []
      for (let n = 0; n < 400; n++) {
        if (n % 4 === 0) clock.advance(100)
        created.push(
          (
            await provider
              .create('test', login(`user${n % 3}`, { client: { clientId: 'app' } }))
              .then(createdSession)
          ).id,
        )
      }
      const last = await provider.get('test', created[399] as string)
      for (const back of [0, 1, 3_000, 9_900, 10_001]) {
        clock.set((last?.expiresAt ?? 0) - back)
        const living = (await Promise.all(created.map((id) => provider.get('test', id)))).filter(
          Boolean,
        ).length
        assert.equal(await provider.count('test'), living)
        assert.equal(await provider.countByClient('test', 'app'), living)
        assert.equal((await provider.clientStats('test')).get('app') ?? 0, living)
        assert.equal(
          (await everyPage((page) => provider.listByClient('test', 'app', page), 30)).length,
          living,
        )
      }
    },
  )
}
