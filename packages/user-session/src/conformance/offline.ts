import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { UserSessionProvider } from '../contract.js'
import {
  clientIds,
  createdSession,
  createS3,
  DAY,
  everyPage,
  ids,
  login,
  OFFLINE_IDLE_MS,
  plain,
  SECOND,
  sessionOf,
} from './fixture.js'

const offline = { offline: true } as const

/** Offline sessions. */
export function offlineSessions(add: SuiteBuilder<UserSessionProvider>): void {
  add.basic(
    'createOffline: a copy that begins now, the online one untouched',
    '§3.2, §3.5, §19 row 23',
    async ({ provider, clock }) => {
      const [s0] = await createS3(provider)
      const before = await provider.update('test', s0.id, { state: 'LOGGED_IN', notes: { a: '1' } })
      clock.advance(SECOND)
      const now = clock.now()
      const times = { startedAt: now, lastRefreshAt: now, expiresAt: now + OFFLINE_IDLE_MS }
      const copy = await provider
        .createOffline('test', s0.id, { clientIds: ['test-app', 'unknown'] })
        .then(sessionOf)
      assert.deepEqual(plain(copy), {
        ...plain(before),
        ...times,
        offline: true,
        clients: { 'test-app': { ...s0.clients.get('test-app'), ...times } },
      })
      assert.deepEqual(plain(await provider.get('test', s0.id, offline)), plain(copy))
      assert.deepEqual(plain(await provider.get('test', s0.id)), plain(before))
      assert.deepEqual(clientIds(await provider.createOffline('test', s0.id).then(sessionOf)), [
        'test-app',
        'third-party',
      ])
    },
  )

  add.basic(
    'createOffline: again refreshes and adds what is missing',
    '§3.5',
    async ({ provider, clock }) => {
      const [s0] = await createS3(provider)
      const first = await provider.createOffline('test', s0.id, { clientIds: ['test-app'] }).then(sessionOf)
      await provider.updateClientSession('test', s0.id, { clientId: 'test-app', notes: { online: 'later' } })
      await provider.update('test', s0.id, { notes: { online: 'later' } })
      await provider.updateClientSession(
        'test',
        s0.id,
        { clientId: 'test-app', notes: { own: '1' } },
        offline,
      )
      clock.advance(SECOND)
      const again = await provider.createOffline('test', s0.id).then(sessionOf)
      const now = clock.now()
      const moved = { lastRefreshAt: now, expiresAt: now + OFFLINE_IDLE_MS }
      assert.deepEqual(plain(again), {
        ...plain(first),
        ...moved,
        clients: {
          'test-app': { ...first?.clients.get('test-app'), ...moved, notes: { state: 'state', own: '1' } },
          'third-party': { ...s0.clients.get('third-party'), ...moved, startedAt: now },
        },
      })
      assert.deepEqual(plain(await provider.get('test', s0.id, offline)), plain(again))
    },
  )

  add.basic('twins: what happens to one happens to it alone', '§3.1, §19 row 23', async ({ provider }) => {
    const [s0, s1] = await createS3(provider)
    for (const { id } of [s0, s1]) await provider.createOffline('test', id).then(sessionOf)
    await provider.update('test', s0.id, { notes: { only: 'online' } })
    await provider.removeClientSession('test', s0.id, 'test-app', offline)
    assert.deepEqual((await provider.get('test', s0.id, offline))?.notes, {})
    assert.deepEqual(clientIds(await provider.get('test', s0.id)), ['test-app', 'third-party'])
    assert.deepEqual(
      await provider.clientStats('test', offline),
      new Map([
        ['third-party', 1],
        ['test-app', 1],
      ]),
    )
    assert.equal(await provider.remove('test', s0.id), true)
    assert.deepEqual(clientIds(await provider.get('test', s0.id, offline)), ['third-party'])
    assert.equal(await provider.remove('test', s1.id, offline), true)
    assert.ok(await provider.get('test', s1.id))
    assert.equal(await provider.count('test'), 2)
    assert.equal(await provider.count('test', offline), 1)
  })

  add.basic(
    'offline: listed and counted among themselves',
    'A5/76, A5/77, A5/79, A4/57',
    async ({ provider }) => {
      const created = await together(60, (n) =>
        provider
          .create(
            'test',
            login(`user${n % 5}`, {
              brokerUserId: `idp.${n % 5}`,
              brokerSessionId: `s${n}`,
              client: { clientId: `c${n % 3}` },
            }),
          )
          .then(createdSession),
      )
      assert.equal((await provider.list('test', offline)).items.length, 0)
      for (const { id } of created) assert.ok(await provider.createOffline('test', id).then(sessionOf))
      for (const { id } of created) assert.equal(await provider.remove('test', id), true)
      assert.deepEqual(ids(await everyPage((page) => provider.list('test', page), 3, true)), ids(created))
      assert.equal(
        (await everyPage((page) => provider.listByUser('test', 'user1', page), 5, true)).length,
        12,
      )
      assert.equal((await everyPage((page) => provider.listByClient('test', 'c2', page), 7, true)).length, 20)
      assert.equal(
        (await everyPage((page) => provider.listByBrokerUser('test', 'idp.4', page), 7, true)).length,
        12,
      )
      assert.equal((await provider.findByBrokerSession('test', 's7', offline))?.id, created[7]?.id)
      const stats = await provider.clientStats('test', offline)
      assert.equal(
        [...stats.values()].reduce((sum, n) => sum + n, 0),
        60,
      )
      for (const [clientId, n] of stats)
        assert.equal(await provider.countByClient('test', clientId, offline), n)
      assert.equal(await provider.count('test', offline), 60)
      assert.equal(await provider.count('test'), 0)
    },
  )

  add.expiry('offline: a life of its own, far away', 'A4/59, A5/67', async ({ provider, clock }) => {
    const sessions = await createS3(provider)
    for (const { id } of sessions) await provider.createOffline('test', id).then(sessionOf)
    const [s0] = sessions
    const started = clock.now()
    const refresh = async (after: number) => {
      clock.set(started + after)
      for (const clientId of ['test-app', 'third-party']) {
        assert.ok(await provider.refresh('test', s0.id, { offline: true, clientId }))
      }
    }
    await refresh(300 * SECOND)
    await refresh(20 * DAY)
    await refresh(21 * DAY)
    clock.set(started + 40 * DAY)
    await provider.sweep()
    const left = await provider.list('test', offline)
    assert.deepEqual(ids(left.items), [s0.id])
    assert.equal(left.items[0]?.lastRefreshAt, started + 21 * DAY)
    assert.deepEqual(clientIds(left.items[0]), ['test-app', 'third-party'])
    assert.equal(await provider.count('test', offline), 1)
    clock.set(started + 7_000_000 * SECOND)
    await provider.sweep()
    assert.equal(await provider.count('test', offline), 0)
    assert.equal(await provider.get('test', s0.id, offline), undefined)
  })

  add.expiry(
    'offline: again after the old one is over is a new one',
    '§3.5, A6/86',
    async ({ provider, clock, setRealm }) => {
      setRealm('test', { offlineSessionIdleTimeoutMs: SECOND })
      const [s0] = await createS3(provider)
      await provider.createOffline('test', s0.id).then(sessionOf)
      clock.advance(SECOND)
      assert.equal(await provider.get('test', s0.id, offline), undefined)
      const again = await provider.createOffline('test', s0.id, { clientIds: ['test-app'] }).then(sessionOf)
      assert.equal(again?.startedAt, clock.now())
      assert.deepEqual(clientIds(again), ['test-app'])
      assert.equal(await provider.countByClient('test', 'third-party', offline), 0)
      assert.equal(await provider.count('test', offline), 1)
    },
  )

  add.concurrency(
    'createOffline: at once with the end of the online one',
    '§19 row 23',
    async ({ provider, clock }) => {
      for (let round = 0; round < 30; round++) {
        clock.advance(1)
        const { id } = await provider
          .create('test', login('user1', { client: { clientId: 'app' } }))
          .then(createdSession)
        const [copy, removed] = await Promise.all([
          provider.createOffline('test', id, { clientIds: ['app'] }).then(sessionOf),
          provider.remove('test', id),
        ])
        assert.equal(removed, true)
        assert.equal(await provider.get('test', id), undefined)
        assert.deepEqual(plain(await provider.get('test', id, offline)), plain(copy))
        if (copy) assert.equal(await provider.remove('test', id, offline), true)
      }
      assert.equal(await provider.count('test', offline), 0)
    },
  )
}
