import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { UserSessionProvider } from '../contract.js'
import {
  awkward,
  clientIds,
  createdSession,
  createS3,
  everyPage,
  IDLE_MS,
  ids,
  login,
  MAX_NOTES_BYTES,
  plain,
  SECOND,
  sessionOf,
} from './fixture.js'

/** Creating, reading, changing and ending one session. */
export function lifeCycle(add: SuiteBuilder<UserSessionProvider>): void {
  add.basic('create: what was given comes back', 'A1/1, A1/20', async ({ provider, clock }) => {
    const now = clock.now()
    const created = await createS3(provider)
    const read = await Promise.all(created.map(({ id }) => provider.get('test', id)))
    assert.deepEqual(read.map(plain), created.map(plain))
    assert.deepEqual(read.map(clientIds), [['test-app', 'third-party'], ['test-app'], ['test-app']])
    const times = { startedAt: now, lastRefreshAt: now, expiresAt: now + IDLE_MS }
    const client = {
      ...times,
      protocol: 'openid-connect',
      redirectUri: 'http://redirect',
      notes: { state: 'state' },
    }
    assert.deepEqual(plain(read[0]), {
      id: created[0].id,
      realmId: 'test',
      userId: 'user1',
      offline: false,
      loginUsername: 'user1',
      ipAddress: '127.0.0.1',
      authMethod: 'form',
      rememberMe: true,
      ...times,
      notes: {},
      clients: {
        'test-app': { clientId: 'test-app', ...client },
        'third-party': { clientId: 'third-party', ...client },
      },
    })
  })

  add.basic('create: ids are fresh and of the form all ids have', 'architecture: 4', async ({ provider }) => {
    const created = await Promise.all(
      Array.from({ length: 100 }, () => provider.create('test', login()).then(createdSession)),
    )
    assert.equal(new Set(ids(created)).size, 100)
    for (const { id } of created) assert.match(id, /^[\w-]{22}[0-9a-f]{2}$/)
  })

  add.basic('create: what was left out is absent', 'contract', async ({ provider }) => {
    const { id } = await provider.create('test', login()).then(createdSession)
    const session = await provider.get('test', id)
    for (const name of ['ipAddress', 'authMethod', 'brokerSessionId', 'brokerUserId', 'state']) {
      assert.equal(Object.hasOwn(session ?? {}, name), false, name)
    }
    assert.equal(session?.rememberMe, false)
    assert.deepEqual(session?.notes, {})
    assert.equal(session?.clients.size, 0)
  })

  add.basic('create: what the caller changes later changes nothing', 'contract', async ({ provider }) => {
    const notes: Record<string, string> = { a: '1' }
    const session = await provider
      .create('test', login('user1', { notes, client: { clientId: 'app', notes } }))
      .then(createdSession)
    notes['a'] = '2'
    ;(session.notes as Record<string, string>)['b'] = '3'
    const read = await provider.get('test', session.id)
    assert.deepEqual(read?.notes, { a: '1' })
    assert.deepEqual(read?.clients.get('app')?.notes, { a: '1' })
  })

  add.basic(
    'create: a transient session is handed back and stored nowhere',
    'A1/17, A2/28, A2/29',
    async ({ provider }) => {
      const { id } = await provider
        .create('test', {
          ...login(),
          client: { clientId: 'app' },
          transient: true,
        })
        .then(createdSession)
      assert.equal(await provider.get('test', id), undefined)
      assert.equal(await provider.get('test', id, { clientId: 'app' }), undefined)
      assert.equal(await provider.countByClient('test', 'app'), 0)
      assert.equal(await provider.count('test'), 0)
      assert.deepEqual(await provider.clientStats('test'), new Map())
      assert.deepEqual((await provider.listByUser('test', 'user1')).items, [])
      assert.equal(await provider.refresh('test', id), undefined)
    },
  )

  add.basic('get: a foreign or malformed id is an unknown one', '§1 4, §19 row 44', async ({ provider }) => {
    const { id } = await provider
      .create('a', login('user1', { client: { clientId: 'app' } }))
      .then(createdSession)
    await provider.createOffline('a', id).then(sessionOf)
    const own = id.slice(-2)
    for (const [realmId, wrong] of [
      ['ab', id],
      ['a', `${id}x`],
      ['a', id.slice(0, -1)],
      ['a', `${id.slice(0, 22)}${own === '00' ? '01' : '00'}`],
      ['a', `${id.slice(0, 22)}ff`],
      ['a', 'x'],
      ['a', '../../etc'],
      ['a', `${'A'.repeat(22)}${own}`],
    ] as const) {
      for (const offline of [false, true]) {
        const scope = { offline }
        assert.equal(await provider.get(realmId, wrong, scope), undefined)
        assert.equal(await provider.get(realmId, wrong, { ...scope, clientId: 'app' }), undefined)
        assert.equal(await provider.refresh(realmId, wrong, scope), undefined)
        assert.equal(await provider.touch(realmId, wrong, scope), undefined)
        assert.equal(await provider.update(realmId, wrong, { state: 'LOGGED_OUT' }, scope), undefined)
        assert.equal(
          await provider.putClientSession(realmId, wrong, { clientId: 'x' }, scope).then(sessionOf),
          undefined,
        )
        assert.equal(
          await provider.updateClientSession(realmId, wrong, { clientId: 'app' }, scope),
          undefined,
        )
        assert.equal(await provider.removeClientSession(realmId, wrong, 'app', scope), false)
        assert.equal(await provider.remove(realmId, wrong, scope), false)
      }
      assert.equal(await provider.restart(realmId, wrong, login()).then(sessionOf), undefined)
      assert.equal(await provider.createOffline(realmId, wrong).then(sessionOf), undefined)
    }
    assert.deepEqual(clientIds(await provider.get('a', id)), ['app'])
  })

  add.basic('get: one client alone, and only if it lives', '§3.2', async ({ provider }) => {
    const [s0, s1] = await createS3(provider)
    const session = await provider.get('test', s0.id, { clientId: 'third-party' })
    assert.deepEqual(clientIds(session), ['third-party'])
    assert.equal(session?.userId, 'user1')
    assert.equal(await provider.get('test', s1.id, { clientId: 'third-party' }), undefined)
  })

  add.basic('refresh: moves what is named, at once', 'A1/2, A1/3', async ({ provider, clock }) => {
    const [s0] = await createS3(provider)
    clock.advance(10 * SECOND)
    const now = clock.now()
    const moved = { lastRefreshAt: now, expiresAt: now + IDLE_MS }
    const refreshed = await provider.refresh('test', s0.id)
    assert.deepEqual(plain(refreshed), { ...plain(s0), ...moved })
    assert.deepEqual(plain(await provider.get('test', s0.id)), plain(refreshed))

    clock.advance(10 * SECOND)
    const later = { lastRefreshAt: clock.now(), expiresAt: clock.now() + IDLE_MS }
    const withClient = await provider.refresh('test', s0.id, { clientId: 'test-app' })
    assert.deepEqual(clientIds(withClient), ['test-app'])
    assert.deepEqual(withClient?.clients.get('test-app'), { ...s0.clients.get('test-app'), ...later })
    const read = await provider.get('test', s0.id)
    assert.equal(read?.lastRefreshAt, clock.now())
    assert.deepEqual(read?.clients.get('third-party'), s0.clients.get('third-party'))
  })

  add.basic('refresh: nothing without the client that is named', '§3.2', async ({ provider, clock }) => {
    const [, s1] = await createS3(provider)
    clock.advance(SECOND)
    assert.equal(await provider.refresh('test', s1.id, { clientId: 'third-party' }), undefined)
    assert.deepEqual(plain(await provider.get('test', s1.id)), plain(s1))
  })

  add.basic('refresh: never moves back', '§3.3', async ({ provider, clock }) => {
    const [s0] = await createS3(provider)
    clock.advance(-5 * SECOND)
    const refreshed = await provider.refresh('test', s0.id, { clientId: 'test-app' })
    assert.equal(refreshed?.lastRefreshAt, s0.lastRefreshAt)
    assert.equal(refreshed?.clients.get('test-app')?.lastRefreshAt, s0.lastRefreshAt)
    assert.equal((await provider.touch('test', s0.id))?.lastRefreshAt, s0.lastRefreshAt)
  })

  add.basic('touch: as refresh, with the instants alone', 'contract', async ({ provider, clock }) => {
    const [s0] = await createS3(provider)
    clock.advance(10 * SECOND)
    const moved = { lastRefreshAt: clock.now(), expiresAt: clock.now() + IDLE_MS }
    assert.deepEqual(await provider.touch('test', s0.id), moved)
    assert.deepEqual(plain(await provider.get('test', s0.id)), { ...plain(s0), ...moved })
    clock.advance(10 * SECOND)
    assert.equal((await provider.touch('test', s0.id, { clientId: 'test-app' }))?.lastRefreshAt, clock.now())
    const read = await provider.get('test', s0.id)
    assert.equal(read?.clients.get('test-app')?.lastRefreshAt, clock.now())
    assert.equal(await provider.touch('test', s0.id, { clientId: 'unknown' }), undefined)
  })

  add.basic('update: merges notes and sets the state', '§3.3, RFC 7396', async ({ provider }) => {
    const { id } = await provider
      .create('test', login('user1', { notes: { a: '1', b: '2' } }))
      .then(createdSession)
    const updated = await provider.update('test', id, {
      state: 'LOGGED_IN',
      notes: { a: null, c: '', d: 'ü"\\\u0000/🔑', absent: null },
    })
    assert.deepEqual(updated?.notes, { b: '2', c: '', d: 'ü"\\\u0000/🔑' })
    assert.equal(updated?.state, 'LOGGED_IN')
    assert.deepEqual(plain(await provider.get('test', id)), plain(updated))
    for (const state of ['LOGGING_OUT', 'LOGGED_OUT', 'LOGGED_OUT_UNCONFIRMED'] as const) {
      assert.equal((await provider.update('test', id, { state }))?.state, state)
    }
    const cleared = await provider.update('test', id, { state: null, notes: { b: null, c: null, d: null } })
    assert.equal(Object.hasOwn(cleared ?? {}, 'state'), false)
    assert.deepEqual(cleared?.notes, {})
    assert.deepEqual((await provider.update('test', id, {}))?.notes, {})
  })

  add.basic('update: refreshes nothing', '§3.3', async ({ provider, clock }) => {
    const [s0] = await createS3(provider)
    clock.advance(SECOND)
    const updated = await provider.update('test', s0.id, { notes: { a: '1' } })
    assert.deepEqual(plain(updated), { ...plain(s0), notes: { a: '1' } })
  })

  add.basic(
    'update: the ceiling on notes holds for what is merged',
    'issue: bad input',
    async ({ provider }) => {
      const half = 'x'.repeat(MAX_NOTES_BYTES / 2)
      const { id } = await provider
        .create(
          'test',
          login('user1', { notes: { a: half }, client: { clientId: 'app', notes: { a: half } } }),
        )
        .then(createdSession)
      await assert.rejects(provider.update('test', id, { notes: { b: half } }), RangeError)
      await assert.rejects(
        provider.updateClientSession('test', id, { clientId: 'app', notes: { b: half } }),
        RangeError,
      )
      const session = await provider.get('test', id)
      assert.deepEqual(session?.notes, { a: half })
      assert.deepEqual(session?.clients.get('app')?.notes, { a: half })
      assert.equal(
        Object.keys((await provider.update('test', id, { notes: { a: null, b: half } }))?.notes ?? {})[0],
        'b',
      )
    },
  )

  add.basic('restart: all new but the id and the user', 'A1/4', async ({ provider, clock }) => {
    const [s0, s1] = await createS3(provider)
    await provider.update('test', s0.id, { state: 'LOGGING_OUT', notes: { k1: '1', k2: '2', k3: '3' } })
    clock.advance(100 * SECOND)
    const restarted = await provider
      .restart('test', s0.id, {
        userId: 'user1',
        loginUsername: 'other name',
        ipAddress: '127.0.0.6',
        brokerSessionId: 'broker-session',
        brokerUserId: 'idp.7',
        client: { clientId: 'test-app' },
      })
      .then(sessionOf)
    const now = clock.now()
    const times = { startedAt: now, lastRefreshAt: now, expiresAt: now + IDLE_MS }
    assert.deepEqual(plain(restarted), {
      id: s0.id,
      realmId: 'test',
      userId: 'user1',
      offline: false,
      loginUsername: 'other name',
      ipAddress: '127.0.0.6',
      rememberMe: false,
      brokerSessionId: 'broker-session',
      brokerUserId: 'idp.7',
      ...times,
      notes: {},
      clients: { 'test-app': { clientId: 'test-app', ...times, notes: {} } },
    })
    const added = await provider.putClientSession('test', s0.id, { clientId: 'third-party' }).then(sessionOf)
    assert.deepEqual(clientIds(added), ['test-app', 'third-party'])
    assert.deepEqual(clientIds(await provider.get('test', s0.id)), ['test-app', 'third-party'])
    assert.deepEqual(ids((await provider.listByUser('test', 'user1')).items), ids([s0, s1]))
    assert.equal((await provider.findByBrokerSession('test', 'broker-session'))?.id, s0.id)

    await provider.restart('test', s0.id, login('user1')).then(sessionOf)
    assert.equal(await provider.findByBrokerSession('test', 'broker-session'), undefined)
    assert.deepEqual((await provider.listByBrokerUser('test', 'idp.7')).items, [])
    assert.deepEqual(ids((await provider.listByClient('test', 'third-party')).items), [])
    assert.equal(await provider.countByClient('test', 'test-app'), 2)
  })

  add.basic(
    'restart: another user is refused, and nothing changes',
    'A1/4, §19 rows 2, 3',
    async ({ provider }) => {
      const [s0] = await createS3(provider)
      await assert.rejects(provider.restart('test', s0.id, login('user2')).then(sessionOf), TypeError)
      assert.deepEqual(plain(await provider.get('test', s0.id)), plain(s0))
      assert.deepEqual(ids((await provider.listByUser('test', 'user1')).items).includes(s0.id), true)
      assert.deepEqual(ids((await provider.listByUser('test', 'user2')).items).includes(s0.id), false)
    },
  )

  add.basic('remove: one session, with all it is listed under', 'A1/11', async ({ provider }) => {
    const [s0, s1, s2] = await createS3(provider)
    assert.equal(await provider.remove('test', s0.id), true)
    assert.equal(await provider.remove('test', s0.id), false)
    assert.equal(await provider.get('test', s0.id), undefined)
    assert.deepEqual(plain(await provider.get('test', s1.id)), plain(s1))
    assert.deepEqual(plain(await provider.get('test', s2.id)), plain(s2))
    assert.deepEqual(ids(await everyPage((page) => provider.list('test', page), 2)), ids([s1, s2]))
    assert.deepEqual(ids((await provider.listByUser('test', 'user1')).items), ids([s1]))
    assert.deepEqual(ids((await provider.listByClient('test', 'test-app')).items), ids([s1, s2]))
    assert.deepEqual(ids((await provider.listByClient('test', 'third-party')).items), [])
    assert.deepEqual(await provider.clientStats('test'), new Map([['test-app', 2]]))
  })

  add.basic('remove: no later verb brings it back', '§1 6, architecture: 2', async ({ provider, clock }) => {
    const [s0] = await createS3(provider)
    await provider.remove('test', s0.id)
    clock.advance(1)
    assert.equal(await provider.refresh('test', s0.id), undefined)
    assert.equal(await provider.touch('test', s0.id), undefined)
    assert.equal(await provider.update('test', s0.id, { notes: { a: '1' } }), undefined)
    assert.equal(await provider.restart('test', s0.id, login('user1')).then(sessionOf), undefined)
    assert.equal(
      await provider.putClientSession('test', s0.id, { clientId: 'app' }).then(sessionOf),
      undefined,
    )
    assert.equal(await provider.updateClientSession('test', s0.id, { clientId: 'test-app' }), undefined)
    assert.equal(await provider.createOffline('test', s0.id).then(sessionOf), undefined)
    assert.equal(await provider.get('test', s0.id), undefined)
    assert.equal(await provider.count('test'), 2)
    assert.equal(await provider.countByClient('test', 'test-app'), 2)
  })

  add.basic('names: of whatever characters, never mixed up', '§19 row 16', async ({ provider, clock }) => {
    const made: string[] = []
    for (const [index, realmId] of awkward.entries()) {
      const name = awkward[(index + 1) % awkward.length] as string
      const session = await provider
        .create(realmId, {
          ...login(name),
          brokerSessionId: name,
          brokerUserId: name,
          client: { clientId: name, notes: name === '__proto__' ? {} : { [name]: name } },
        })
        .then(createdSession)
      assert.deepEqual(plain(await provider.get(realmId, session.id)), plain(session))
      assert.deepEqual(clientIds(await provider.get(realmId, session.id, { clientId: name })), [name])
      made.push(session.id)
    }
    for (const seconds of [1, 90, 1]) {
      clock.advance(seconds * SECOND)
      for (const [index, realmId] of awkward.entries()) {
        const name = awkward[(index + 1) % awkward.length] as string
        const id = made[index] as string
        const expiresAt = clock.now() + IDLE_MS
        assert.equal((await provider.touch(realmId, id, { clientId: name }))?.expiresAt, expiresAt)
        const refreshed = await provider.refresh(realmId, id, { clientId: name })
        assert.equal(refreshed?.clients.get(name)?.expiresAt, expiresAt)
        assert.equal(
          (await provider.updateClientSession(realmId, id, { clientId: name }))?.expiresAt,
          expiresAt,
        )
      }
    }
    for (const [index, realmId] of awkward.entries()) {
      const own = awkward[(index + 1) % awkward.length] as string
      for (const name of awkward) {
        const expected = name === own ? 1 : 0
        assert.equal((await provider.listByUser(realmId, name)).items.length, expected, 'by user')
        assert.equal(await provider.countByClient(realmId, name), expected, 'by client')
      }
      assert.deepEqual([...(await provider.clientStats(realmId)).keys()], [own])
      assert.equal((await provider.findByBrokerSession(realmId, own))?.realmId, realmId)
      assert.equal((await provider.listByBrokerUser(realmId, own)).items.length, 1)
      assert.equal(await provider.removeByUser(realmId, own), 1)
    }
  })
}
