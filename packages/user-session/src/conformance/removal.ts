import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { UserSession, UserSessionProvider } from '../contract.js'
import {
  clientIds,
  createdSession,
  createS3,
  everyPage,
  ids,
  login,
  plain,
  RACERS,
  ROUNDS,
  sessionOf,
} from './fixture.js'

/** Ending many sessions. */
export function removal(add: SuiteBuilder<UserSessionProvider>): void {
  add.basic(
    'removeByUser: one user of one realm, everywhere',
    'A1/10, A1/23, A7/90, A7/93',
    async ({ provider }) => {
      const [s0, s1, s2] = await createS3(provider)
      const foreign = await createS3(provider, 'test2')
      assert.equal(await provider.removeByUser('test', 'user1'), 2)
      assert.equal(await provider.removeByUser('test', 'user1'), 0)
      for (const { id } of [s0, s1]) assert.equal(await provider.get('test', id), undefined)
      assert.deepEqual((await provider.listByUser('test', 'user1')).items, [])
      assert.deepEqual((await provider.listByUser('test', 'user2')).items.map(plain), [plain(s2)])
      assert.deepEqual(ids((await provider.listByClient('test', 'test-app')).items), [s2.id])
      assert.deepEqual(await provider.clientStats('test'), new Map([['test-app', 1]]))
      assert.equal(await provider.count('test'), 1)
      assert.deepEqual(ids((await provider.list('test2')).items), ids(foreign))
    },
  )

  add.basic(
    'removeByUser: all but one, of hundreds',
    'A2/26, issue: end the others',
    async ({ provider }) => {
      const created = await together(250, () =>
        provider.create('test', login('user1', { client: { clientId: 'app' } })).then(createdSession),
      )
      const kept = created[100] as UserSession
      assert.equal(await provider.removeByUser('test', 'user1', { except: kept.id }), 249)
      assert.deepEqual((await provider.listByUser('test', 'user1')).items.map(plain), [plain(kept)])
      assert.equal(await provider.countByClient('test', 'app'), 1)
      assert.ok(await provider.refresh('test', kept.id))
    },
  )

  add.basic('removeByUser: online or offline, as asked', '§3.2', async ({ provider }) => {
    const [s0] = await createS3(provider)
    await provider.createOffline('test', s0.id).then(sessionOf)
    assert.equal(await provider.removeByUser('test', 'user1'), 2)
    assert.deepEqual(clientIds(await provider.get('test', s0.id, { offline: true })), [
      'test-app',
      'third-party',
    ])
    assert.equal(await provider.removeByUser('test', 'user1', { offline: true }), 1)
    assert.equal(await provider.get('test', s0.id, { offline: true }), undefined)
  })

  add.basic(
    'removeByBrokerSession: the sessions of one login at an identity provider, listed page by page',
    'issue: back-channel logout',
    async ({ provider }) => {
      const of = (n: number, brokerSessionId: string) =>
        provider
          .create('test', login(`user${n % 7}`, { brokerSessionId, client: { clientId: 'app' } }))
          .then(createdSession)
      const created = await together(130, (n) => of(n, 'b:1'))
      const foreign = [await of(1, 'b'), await of(1, 'b:1:')]
      await provider.create('test2', login('user1', { brokerSessionId: 'b:1' })).then(createdSession)
      for (const { id } of created.slice(0, 3)) await provider.createOffline('test', id).then(sessionOf)
      const list = (offline: boolean) =>
        everyPage((page) => provider.listByBrokerSession('test', 'b:1', page), 50, offline)
      assert.deepEqual(ids(await list(false)), ids(created))
      assert.deepEqual(ids(await list(true)), ids(created.slice(0, 3)))
      const reasons = new Set<string | undefined>()
      provider.on('removed', ({ reason }) => reasons.add(reason))
      assert.equal(await provider.removeByBrokerSession('test', 'b:1'), 130)
      assert.equal(await provider.removeByBrokerSession('test', 'b:1'), 0)
      assert.deepEqual(await list(false), [])
      assert.equal(await provider.findByBrokerSession('test', 'b:1'), undefined)
      assert.equal((await list(true)).length, 3)
      assert.deepEqual([...reasons], ['broker-session'])
      assert.deepEqual(ids((await provider.list('test')).items), ids(foreign))
      assert.equal(await provider.countByClient('test', 'app'), 2)
      await of(1, 'b:1')
      assert.equal(await provider.removeByBrokerSession('test', 'b:1', { offline: 'both' }), 4)
      assert.equal(await provider.count('test', { offline: true }), 0)
      assert.equal(await provider.count('test2'), 1)
    },
  )

  add.basic('removeByUser: a login afterwards is a new one', 'contract', async ({ provider }) => {
    await provider.create('test', login()).then(createdSession)
    await provider.removeByUser('test', 'user1')
    const session = await provider.create('test', login()).then(createdSession)
    assert.deepEqual(ids((await provider.listByUser('test', 'user1')).items), [session.id])
    assert.equal(await provider.removeByUser('test', 'user1'), 1)
  })

  add.concurrency(
    'removeByUser: a login that began before is ended or refused',
    'issue: fence, peers 2',
    async ({ provider, anotherNode, clock }) => {
      const other = await anotherNode()
      for (let round = 0; round < ROUNDS; round++) {
        clock.advance(1)
        const logins = Array.from({ length: RACERS }, (_, n) =>
          (n % 2 === 0 ? provider : other).create('test', login('user1', { client: { clientId: 'app' } })),
        )
        const refreshed = provider
          .create('test', login())
          .then((created) =>
            created.outcome === 'created' ? other.refresh('test', created.session.id) : undefined,
          )
        clock.advance(1)
        await provider.removeByUser('test', 'user1')
        for (const outcome of await Promise.all(logins)) {
          if (outcome.outcome === 'refused') assert.equal(outcome.reason, 'ended')
          else assert.equal(await provider.get('test', outcome.session.id), undefined)
        }
        await refreshed
        assert.deepEqual((await other.listByUser('test', 'user1')).items, [])
        assert.equal(await provider.countByClient('test', 'app'), 0)
        clock.advance(1)
        assert.equal((await other.create('test', login())).outcome, 'created')
      }
    },
  )

  add.basic(
    'removeByRealm: online and offline, and nothing of its neighbours',
    'A1/12, A4/52, A5/72, A7/89, A7/92, §19 row 42',
    async ({ provider }) => {
      const realms = ['a', 'ab', 'a:b', 'A']
      for (const realmId of realms) {
        const created = await together(230, (n) =>
          provider
            .create(realmId, login(`user${n % 50}`, { client: { clientId: 'app' } }))
            .then(createdSession),
        )
        for (const { id } of created.slice(0, 30)) await provider.createOffline(realmId, id).then(sessionOf)
      }
      assert.equal(await provider.removeByRealm('a'), 260)
      assert.equal(await provider.removeByRealm('a'), 0)
      assert.equal(await provider.count('a'), 0)
      assert.equal(await provider.count('a', { offline: true }), 0)
      assert.deepEqual((await provider.listByUser('a', 'user1')).items, [])
      assert.deepEqual(await provider.clientStats('a'), new Map())
      for (const realmId of realms.slice(1)) {
        assert.equal(await provider.count(realmId), 230)
        assert.equal(await provider.countByClient(realmId, 'app', { offline: true }), 30)
        assert.equal((await everyPage((page) => provider.list(realmId, page), 100)).length, 230)
      }
      assert.ok(await provider.create('a', login()).then(createdSession))
      assert.equal(await provider.count('a'), 1)
    },
  )

  add.basic('several removals in a row remove exactly their own', 'A7/91, A7/95', async ({ provider }) => {
    for (const realmId of ['r0', 'r1', 'r2']) {
      for (const userId of ['u1', 'u2', 'u3'])
        await provider.create(realmId, login(userId)).then(createdSession)
    }
    const removed = await Promise.all([
      provider.removeByRealm('r0'),
      provider.removeByUser('r1', 'u2'),
      provider.removeByUser('r2', 'u3'),
    ])
    assert.deepEqual(removed, [3, 1, 1])
    assert.deepEqual(
      await Promise.all(['r0', 'r1', 'r2'].map((realmId) => provider.count(realmId))),
      [0, 2, 2],
    )
    assert.equal(await provider.removeByRealm('r1'), 2)
    assert.equal(await provider.removeByRealm('r2'), 2)
  })

  add.concurrency(
    'removeByRealm: a login that began before is ended or refused',
    'issue: no resurrection',
    async ({ provider, clock }) => {
      for (let round = 0; round < ROUNDS; round++) {
        clock.advance(1)
        const logins = Array.from({ length: RACERS }, (_, n) => provider.create('test', login(`user${n}`)))
        await provider.removeByRealm('test')
        await Promise.all(logins)
        assert.equal(await provider.count('test'), 0)
        assert.deepEqual((await provider.list('test')).items, [])
      }
    },
  )
}
