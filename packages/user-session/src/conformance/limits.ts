import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { UserSessionEvent, UserSessionProvider } from '../contract.js'
import { clientIds, createdSession, IDLE_MS, ids, login, SECOND, sessionOf } from './fixture.js'

/** Limits of sessions per user, and per user and client. */
export function limits(add: SuiteBuilder<UserSessionProvider>): void {
  add.basic('limits: none unless configured', 'contract', async ({ provider }) => {
    await together(120, () => provider.create('test', login()).then(createdSession))
    assert.equal(await provider.count('test'), 120)
  })

  add.basic('limits: reject refuses the newcomer', 'peers 26', async ({ withProperties }) => {
    const provider = await withProperties({ maxSessionsPerUser: 2 })
    const first = await provider.create('test', login()).then(createdSession)
    await provider.create('test', login()).then(createdSession)
    assert.deepEqual(await provider.create('test', login()), { outcome: 'refused', reason: 'user-limit' })
    assert.equal((await provider.create('test', login('user2'))).outcome, 'created')
    assert.equal((await provider.create('test2', login())).outcome, 'created')
    assert.equal((await provider.create('test', { ...login(), transient: true })).outcome, 'created')
    await provider.remove('test', first.id)
    assert.equal((await provider.create('test', login())).outcome, 'created')
    assert.equal((await provider.listByUser('test', 'user1')).items.length, 2)
  })

  add.basic(
    'limits: end-oldest and end-least-recently-used make room',
    'contract',
    async ({ withProperties, clock }) => {
      for (const [limitPolicy, ends] of [
        ['end-oldest', 0],
        ['end-least-recently-used', 1],
      ] as const) {
        const provider = await withProperties({ maxSessionsPerUser: 3, limitPolicy })
        const removed: UserSessionEvent[] = []
        const off = provider.on('removed', (event) => removed.push(event))
        const created: string[] = []
        for (let n = 0; n < 3; n++) {
          created.push(
            (
              await provider
                .create(limitPolicy, login('user1', { client: { clientId: 'app' } }))
                .then(createdSession)
            ).id,
          )
          clock.advance(SECOND)
        }
        await provider.refresh(limitPolicy, created[0] as string)
        clock.advance(SECOND)
        const { id } = await provider
          .create(limitPolicy, login('user1', { client: { clientId: 'app' } }))
          .then(createdSession)
        const expected = [...created.filter((_, n) => n !== ends), id]
        assert.deepEqual(ids((await provider.listByUser(limitPolicy, 'user1')).items), expected.sort())
        assert.equal(await provider.countByClient(limitPolicy, 'app'), 3)
        assert.deepEqual(
          removed.map(({ sessionId, reason, userId, clientIds: clients }) => ({
            sessionId,
            reason,
            userId,
            clients,
          })),
          [{ sessionId: created[ends], reason: 'limit', userId: 'user1', clients: ['app'] }],
        )
        off()
      }
    },
  )

  add.expiry('limits: only the living count', 'contract', async ({ withProperties, clock }) => {
    const provider = await withProperties({ maxSessionsPerUser: 2 })
    await provider.create('test', login()).then(createdSession)
    clock.advance(SECOND)
    await provider.create('test', login()).then(createdSession)
    assert.equal((await provider.create('test', login())).outcome, 'refused')
    clock.advance(IDLE_MS - SECOND)
    assert.equal((await provider.create('test', login())).outcome, 'created')
    assert.equal((await provider.create('test', login())).outcome, 'refused')
  })

  add.basic('limits: per user and client', 'contract', async ({ withProperties, clock }) => {
    const provider = await withProperties({ maxSessionsPerUserAndClient: 1 })
    const at = (clientId: string) => login('user1', { client: { clientId } })
    const first = await provider.create('test', at('app')).then(createdSession)
    assert.deepEqual(await provider.create('test', at('app')), {
      outcome: 'refused',
      reason: 'client-limit',
    })
    const second = await provider.create('test', at('other')).then(createdSession)
    assert.deepEqual(await provider.putClientSession('test', second.id, { clientId: 'app' }), {
      outcome: 'refused',
      reason: 'client-limit',
    })
    assert.deepEqual(clientIds(await provider.get('test', second.id)), ['other'])
    assert.ok(
      await provider
        .putClientSession('test', first.id, { clientId: 'app', notes: { again: '1' } })
        .then(sessionOf),
    )
    await provider.removeClientSession('test', first.id, 'app')
    assert.deepEqual(
      clientIds(await provider.putClientSession('test', second.id, { clientId: 'app' }).then(sessionOf)),
      ['app', 'other'],
    )

    const making = await withProperties({ maxSessionsPerUserAndClient: 1, limitPolicy: 'end-oldest' })
    const user2 = (clientId?: string) => login('user2', clientId ? { client: { clientId } } : {})
    const old = await making.create('test', user2('app')).then(createdSession)
    clock.advance(SECOND)
    const fresh = await making.create('test', user2('app')).then(createdSession)
    assert.equal(await making.get('test', old.id), undefined)
    clock.advance(SECOND)
    const bare = await making.create('test', user2()).then(createdSession)
    assert.deepEqual(
      clientIds(await making.putClientSession('test', bare.id, { clientId: 'app' }).then(sessionOf)),
      ['app'],
    )
    assert.equal(await making.get('test', fresh.id), undefined)
    assert.deepEqual(ids((await making.listByUser('test', 'user2')).items), [bare.id])
  })

  add.basic(
    'limits: both at once, and one set lower than there are',
    'contract',
    async ({ provider, withProperties, clock }) => {
      for (let n = 0; n < 6; n++) {
        await provider
          .create('test', login('user1', n < 3 ? { client: { clientId: 'app' } } : {}))
          .then(createdSession)
        clock.advance(SECOND)
      }
      const limited = await withProperties({
        maxSessionsPerUser: 5,
        maxSessionsPerUserAndClient: 2,
        limitPolicy: 'end-oldest',
      })
      const target = limited === provider ? provider : limited
      if ((await target.count('test')) === 6) {
        await target.create('test', login('user1', { client: { clientId: 'app' } })).then(createdSession)
        assert.equal(await target.count('test'), 5)
        assert.equal(await target.countByClient('test', 'app'), 2)
      }
      const lower = await withProperties({ maxSessionsPerUser: 2, limitPolicy: 'end-oldest' })
      for (let n = 0; n < 4; n++) await lower.create('test', login('user1')).then(createdSession)
      assert.equal((await lower.listByUser('test', 'user1')).items.length, 2)
    },
  )

  add.basic('limits: what ends by the narrower one makes room for the wider one', 'issue', async (stage) => {
    const { withProperties, clock } = stage
    for (const limitPolicy of ['end-oldest', 'end-least-recently-used']) {
      const provider = await withProperties({
        maxSessionsPerUser: 3,
        maxSessionsPerUserAndClient: 1,
        limitPolicy,
      })
      const created: string[] = []
      for (const clientId of ['one', 'two', 'three', 'two']) {
        created.push(
          (await provider.create(limitPolicy, login('user1', { client: { clientId } })).then(createdSession))
            .id,
        )
        clock.advance(SECOND)
      }
      const [item, , three, again] = created
      assert.deepEqual(
        ids((await provider.listByUser(limitPolicy, 'user1')).items),
        [item, three, again].sort(),
      )
    }
  })

  add.basic('limits: per client, of a user with hundreds of sessions', 'issue', async (stage) => {
    const { withProperties, clock } = stage
    const provider = await withProperties({ maxSessionsPerUserAndClient: 1 })
    await together(250, () => provider.create('test', login()).then(createdSession))
    clock.advance(SECOND)
    const at = login('user1', { client: { clientId: 'app' } })
    assert.equal((await provider.create('test', at)).outcome, 'created')
    assert.deepEqual(await provider.create('test', at), { outcome: 'refused', reason: 'client-limit' })
  })

  add.basic('limits: one that was lowered ends all that is too much', 'issue', async (stage) => {
    const { provider, withProperties, clock } = stage
    await together(250, () => provider.create('test', login()).then(createdSession))
    clock.advance(SECOND)
    const lower = await withProperties({ maxSessionsPerUser: 2, limitPolicy: 'end-oldest' })
    // A store of one process has nothing of its neighbour.
    const shared = (await lower.count('test')) === 250
    const ended = new Set<string>()
    lower.on('removed', ({ sessionId, reason }) => reason === 'limit' && ended.add(sessionId))
    const { id } = await lower.create('test', login()).then(createdSession)
    const { items } = await lower.listByUser('test', 'user1')
    assert.equal(items.length, shared ? 2 : 1)
    assert.ok(items.some((item) => item.id === id))
    assert.equal(ended.size, shared ? 249 : 0)
  })

  add.basic('restart: asks the limit per client, and is refused or makes room', 'issue', async (stage) => {
    const { withProperties, clock } = stage
    const at = login('user1', { client: { clientId: 'app' } })
    const refusing = await withProperties({ maxSessionsPerUserAndClient: 1 })
    const held = await refusing.create('test', at).then(createdSession)
    const other = await refusing.create('test', login('user1', { notes: { a: '1' } })).then(createdSession)
    const refused = { outcome: 'refused', reason: 'client-limit' }
    assert.deepEqual(await refusing.restart('test', other.id, at), refused)
    assert.deepEqual((await refusing.get('test', other.id))?.notes, { a: '1' })
    assert.equal((await refusing.restart('test', held.id, at)).outcome, 'done')
    assert.equal((await refusing.restart('test', other.id, login())).outcome, 'done')
    assert.deepEqual(await refusing.restart('other', held.id, at), { outcome: 'gone' })

    const making = await withProperties({ maxSessionsPerUserAndClient: 1, limitPolicy: 'end-oldest' })
    const old = await making.create('test2', at).then(createdSession)
    clock.advance(SECOND)
    const bare = await making.create('test2', login()).then(createdSession)
    assert.deepEqual(clientIds(await making.restart('test2', bare.id, at).then(sessionOf)), ['app'])
    assert.equal(await making.get('test2', old.id), undefined)
  })

  add.basic('limits: a refusal is an outcome, and changes nothing', 'issue', async (stage) => {
    const { withProperties } = stage
    const provider = await withProperties({ maxSessionsPerUserAndClient: 1, maxOfflineSessionsPerUser: 1 })
    const first = await provider
      .create('test', login('user1', { client: { clientId: 'app' } }))
      .then(createdSession)
    const second = await provider.create('test', login()).then(createdSession)
    assert.deepEqual(await provider.putClientSession('test', second.id, { clientId: 'app' }), {
      outcome: 'refused',
      reason: 'client-limit',
    })
    const put = await provider.putClientSession('test', second.id, { clientId: 'web' })
    assert.equal(put.outcome === 'done' && put.session.id, second.id)
    assert.deepEqual(await provider.putClientSession('other', second.id, { clientId: 'web' }), {
      outcome: 'gone',
    })
    const copy = await provider.createOffline('test', first.id)
    assert.equal(copy.outcome === 'done' && copy.session.offline, true)
    assert.deepEqual(await provider.createOffline('test', second.id), {
      outcome: 'refused',
      reason: 'offline-limit',
    })
    assert.equal(await provider.get('test', second.id, { offline: true }), undefined)
    assert.equal((await provider.createOffline('test', first.id)).outcome, 'done', 'one that is there')
    assert.deepEqual(await provider.createOffline('other', first.id), { outcome: 'gone' })
  })

  add.basic('limits: offline sessions have one of their own', 'issue', async (stage) => {
    const { withProperties, clock } = stage
    const provider = await withProperties({
      maxSessionsPerUser: 3,
      maxOfflineSessionsPerUser: 2,
      limitPolicy: 'end-oldest',
    })
    const removed: [string, boolean][] = []
    provider.on('removed', ({ sessionId, offline }) => removed.push([sessionId, offline]))
    const created: string[] = []
    for (let n = 0; n < 3; n++) {
      created.push((await provider.create('test', login()).then(createdSession)).id)
      clock.advance(SECOND)
      await provider.createOffline('test', created[n] as string).then(sessionOf)
      clock.advance(SECOND)
    }
    assert.equal(await provider.count('test'), 3)
    const offline = await provider.listByUser('test', 'user1', { offline: true })
    assert.deepEqual(ids(offline.items), created.slice(1).sort())
    assert.deepEqual(removed, [[created[0], true]])
  })

  add.basic('limits: the one in all counts online and offline sessions together', 'issue', async (stage) => {
    const { withProperties, clock } = stage
    const refusing = await withProperties({ maxTotalSessionsPerUser: 2 })
    const { id } = await refusing.create('test', login()).then(createdSession)
    await refusing.createOffline('test', id).then(sessionOf)
    const refused = { outcome: 'refused', reason: 'total-limit' }
    assert.deepEqual(await refusing.create('test', login()), refused)
    await refusing.remove('test', id)
    const next = await refusing.create('test', login()).then(createdSession)
    assert.deepEqual(await refusing.createOffline('test', next.id), refused)
    assert.equal((await refusing.create('test', login('user2'))).outcome, 'created')

    const making = await withProperties({ maxTotalSessionsPerUser: 2, limitPolicy: 'end-oldest' })
    const removed: [string, boolean, string][] = []
    making.on('removed', ({ sessionId, offline, reason }) => removed.push([sessionId, offline, reason ?? '']))
    const first = await making.create('test2', login()).then(createdSession)
    clock.advance(SECOND)
    await making.createOffline('test2', first.id).then(sessionOf)
    clock.advance(SECOND)
    const second = await making.create('test2', login()).then(createdSession)
    clock.advance(SECOND)
    await making.createOffline('test2', second.id).then(sessionOf)
    assert.deepEqual(removed, [
      [first.id, false, 'limit'],
      [first.id, true, 'limit'],
    ])
    assert.deepEqual(ids((await making.listByUser('test2', 'user1')).items), [second.id])
    assert.deepEqual(ids((await making.listByUser('test2', 'user1', { offline: true })).items), [second.id])
  })

  add.concurrency(
    'limits: never exceeded by logins at once',
    'issue, peers 26',
    async ({ withProperties, clock }) => {
      for (const limitPolicy of ['reject', 'end-oldest', 'end-least-recently-used']) {
        const provider = await withProperties({
          maxSessionsPerUser: 3,
          maxSessionsPerUserAndClient: 2,
          limitPolicy,
        })
        for (let round = 0; round < 20; round++) {
          clock.advance(1)
          const userId = `${limitPolicy} ${round}`
          const outcomes = await together(10, (n) =>
            provider.create('test', login(userId, n % 2 === 0 ? { client: { clientId: 'app' } } : {})),
          )
          const { items } = await provider.listByUser('test', userId)
          assert.equal(items.length, 3)
          assert.ok(items.filter(({ clients }) => clients.has('app')).length <= 2)
          const created = outcomes.filter(({ outcome }) => outcome === 'created').length
          assert.equal(created, limitPolicy === 'reject' ? 3 : 10)
        }
      }
    },
  )
}
