import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { UserSessionProvider } from '../contract.js'
import {
  clientIds,
  createdSession,
  createS3,
  IDLE_MS,
  ids,
  login,
  plain,
  SECOND,
  sessionOf,
} from './fixture.js'

/** Client sessions of a user session. */
export function clientSessions(add: SuiteBuilder<UserSessionProvider>): void {
  add.basic('putClientSession: as given', 'A1/5, A1/8', async ({ provider }) => {
    const [s0] = await createS3(provider)
    const app = s0.clients.get('test-app')
    assert.equal(s0.clients.size, 2)
    assert.equal(app?.redirectUri, 'http://redirect')
    assert.deepEqual(app?.notes, { state: 'state' })
    assert.equal(Object.hasOwn(app ?? {}, 'action'), false)
    const { id } = await provider.create('test', login()).then(createdSession)
    const put = await provider
      .putClientSession('test', id, {
        clientId: 'app',
        action: 'x',
        nodeHost: 'node-1.example',
        applicationSessionId: 'JSESSIONID-1',
        notes: { foo: 'bar' },
      })
      .then(sessionOf)
    const joined = put?.clients.get('app')
    assert.deepEqual(joined?.notes, { foo: 'bar' })
    assert.equal(joined?.nodeHost, 'node-1.example')
    assert.equal(joined?.applicationSessionId, 'JSESSIONID-1')
    assert.deepEqual(plain(await provider.get('test', id)), plain(put))
  })

  add.basic('updateClientSession: merges', 'A1/6, A1/7', async ({ provider, clock }) => {
    const [s0] = await createS3(provider)
    clock.advance(SECOND)
    const updated = await provider.updateClientSession('test', s0.id, {
      clientId: 'test-app',
      action: 'LOGGED_OUT',
      redirectUri: null,
      notes: { state: null, next: 'n' },
    })
    const { redirectUri: _, ...before } = s0.clients.get('test-app') ?? assert.fail()
    const expected = { ...before, action: 'LOGGED_OUT', notes: { next: 'n' } }
    assert.deepEqual(updated?.clients.get('test-app'), expected)
    assert.deepEqual((await provider.get('test', s0.id))?.clients.get('test-app'), expected)
    const alone = await provider.get('test', s0.id, { clientId: 'test-app' })
    assert.deepEqual(alone?.clients.get('test-app'), expected)
    assert.deepEqual(updated?.clients.get('third-party'), s0.clients.get('third-party'))

    const emptied = await provider.updateClientSession('test', s0.id, {
      clientId: 'test-app',
      action: null,
      protocol: null,
      nodeHost: null,
      notes: { next: null },
    })
    const { startedAt, lastRefreshAt, expiresAt } = before
    const rest = { clientId: 'test-app', startedAt, lastRefreshAt, expiresAt, notes: {} }
    assert.deepEqual(emptied?.clients.get('test-app'), rest)
    assert.equal(await provider.updateClientSession('test', s0.id, { clientId: 'unknown' }), undefined)
  })

  add.basic(
    'putClientSession: again replaces what it holds, and begins nothing anew',
    'A1/21, §3.4',
    async ({ provider, clock }) => {
      const { id, startedAt } = await provider.create('test', login()).then(createdSession)
      await provider.putClientSession('test', id, { clientId: 'client1' }).then(sessionOf)
      await provider
        .putClientSession('test', id, { clientId: 'client2', action: 'a', notes: { old: '1' } })
        .then(sessionOf)
      await provider.updateClientSession('test', id, { clientId: 'client1', action: 'changed' })
      clock.advance(SECOND)
      const again = await provider
        .putClientSession('test', id, { clientId: 'client2', notes: { new: '1' } })
        .then(sessionOf)
      assert.deepEqual(clientIds(again), ['client1', 'client2'])
      assert.equal(again?.clients.get('client1')?.action, 'changed')
      assert.deepEqual(again?.clients.get('client2'), {
        clientId: 'client2',
        startedAt,
        lastRefreshAt: clock.now(),
        expiresAt: clock.now() + IDLE_MS,
        notes: { new: '1' },
      })
      assert.equal(again?.lastRefreshAt, startedAt)
      assert.equal(await provider.removeClientSession('test', id, 'client1'), true)
      assert.deepEqual(clientIds(await provider.get('test', id)), ['client2'])
      assert.equal(await provider.countByClient('test', 'client2'), 1)
    },
  )

  add.basic(
    'removeClientSession: the user session stays, without clients in the end',
    'A1/21, A7/94, §3.4',
    async ({ provider }) => {
      const [s0] = await createS3(provider)
      assert.equal(await provider.removeClientSession('test', s0.id, 'third-party'), true)
      assert.equal(await provider.removeClientSession('test', s0.id, 'third-party'), false)
      assert.equal(await provider.removeClientSession('test', s0.id, 'test-app'), true)
      assert.equal((await provider.get('test', s0.id))?.clients.size, 0)
      assert.equal(await provider.get('test', s0.id, { clientId: 'test-app' }), undefined)
      assert.equal(await provider.countByClient('test', 'third-party'), 0)
      assert.equal(await provider.countByClient('test', 'test-app'), 2)
      assert.equal((await provider.listByUser('test', 'user1')).items.length, 2)
    },
  )

  add.basic(
    'removeClientSession: ends the user session with its last client when asked',
    '§3.5',
    async ({ provider }) => {
      const [s0] = await createS3(provider)
      const ending = { endWhenLast: true }
      assert.equal(await provider.removeClientSession('test', s0.id, 'third-party', ending), true)
      assert.deepEqual(clientIds(await provider.get('test', s0.id)), ['test-app'])
      assert.equal(await provider.removeClientSession('test', s0.id, 'unknown', ending), false)
      assert.equal(await provider.removeClientSession('test', s0.id, 'test-app', ending), true)
      assert.equal(await provider.get('test', s0.id), undefined)
      assert.equal((await provider.listByUser('test', 'user1')).items.length, 1)
    },
  )

  add.basic(
    'removeByClient: client sessions go, user sessions stay',
    'A1/13, A5/80, A7/95',
    async ({ provider }) => {
      const sessions = await createS3(provider)
      const foreign = await provider
        .create('other', login('user1', { client: { clientId: 'test-app' } }))
        .then(createdSession)
      await provider.createOffline('test', sessions[0].id).then(sessionOf)
      assert.equal(await provider.removeByClient('test', 'test-app'), 3)
      assert.equal(await provider.removeByClient('test', 'test-app'), 0)
      const left = await Promise.all(sessions.map(({ id }) => provider.get('test', id)))
      assert.deepEqual(left.map(clientIds), [['third-party'], [], []])
      assert.deepEqual(await provider.clientStats('test'), new Map([['third-party', 1]]))
      assert.equal(await provider.countByClient('test', 'test-app', { offline: true }), 1)
      assert.equal(await provider.removeByClient('test', 'test-app', { offline: true }), 1)
      const offline = await provider.listByClient('test', 'third-party', { offline: true })
      assert.deepEqual(offline.items.map(clientIds), [['third-party']])
      assert.deepEqual(clientIds(await provider.get('other', foreign.id)), ['test-app'])
      assert.deepEqual(ids((await provider.list('test')).items), ids(sessions))
    },
  )
}
