import assert from 'node:assert/strict'
import type { Stage, SuiteBuilder } from '@authstate/conformance'
import type { RealmSettings } from '@authstate/spi'
import type { UserSession, UserSessionProvider } from '../contract.js'
import {
  clientIds,
  createdSession,
  createS3,
  HOUR,
  IDLE_MS,
  login,
  MAX_MS,
  MINUTE,
  OFFLINE_IDLE_MS,
  plain,
  realmOf,
  SECOND,
  sessionOf,
} from './fixture.js'

type StageOf = Stage<UserSessionProvider>

/** When sessions end. */
export function expiry(add: SuiteBuilder<UserSessionProvider>): void {
  boundary(add)
  timeouts(add)
  changes(add)
}

function boundary(add: SuiteBuilder<UserSessionProvider>): void {
  add.expiry(
    'idle: alive one millisecond before, gone at it, for every verb',
    '§2.4, B1/V2, V3',
    async (stage) => {
      const { provider, clock } = stage
      const [s0] = await createS3(provider)
      assert.equal(s0.expiresAt, clock.now() + IDLE_MS)
      clock.advance(IDLE_MS - 1)
      await assertAlive(stage, s0, true)
      clock.advance(1)
      await assertAlive(stage, s0, false)
      assert.equal(await provider.refresh('test', s0.id), undefined)
      assert.equal(await provider.touch('test', s0.id), undefined)
      assert.equal(await provider.update('test', s0.id, { notes: { a: '1' } }), undefined)
      assert.equal(await provider.restart('test', s0.id, login('user1')).then(sessionOf), undefined)
      assert.equal(
        await provider.putClientSession('test', s0.id, { clientId: 'x' }).then(sessionOf),
        undefined,
      )
      assert.equal(await provider.updateClientSession('test', s0.id, { clientId: 'test-app' }), undefined)
      assert.equal(await provider.removeClientSession('test', s0.id, 'test-app'), false)
      assert.equal(await provider.createOffline('test', s0.id).then(sessionOf), undefined)
      assert.equal(await provider.remove('test', s0.id), false)
      assert.equal(await provider.removeByUser('test', 'user1'), 0)
      assert.equal(await provider.removeByClient('test', 'test-app'), 0)
      await assertAlive(stage, s0, false)
    },
  )

  add.expiry('max: refreshing does not lengthen it, to the millisecond', 'B1/V4, V5', async (stage) => {
    const { provider, clock } = stage
    const session = await provider
      .create('test', login('user1', { client: { clientId: 'test-app' } }))
      .then(createdSession)
    for (let age = 0; age + IDLE_MS < MAX_MS; age += 25 * MINUTE) {
      clock.advance(25 * MINUTE)
      assert.ok(await provider.refresh('test', session.id, { clientId: 'test-app' }))
    }
    assert.equal((await provider.get('test', session.id))?.expiresAt, session.startedAt + MAX_MS)
    clock.set(session.startedAt + MAX_MS - 1)
    await assertAlive(stage, session, true)
    assert.ok(await provider.touch('test', session.id))
    clock.advance(1)
    await assertAlive(stage, session, false)
  })

  add.expiry(
    'refresh: however often, no index ever misses or outlives a session',
    'performance: coarse touch',
    async (stage) => {
      const { provider, clock } = stage
      const session = await provider
        .create('test', login('user1', { client: { clientId: 'test-app' } }))
        .then(createdSession)
      let last = session
      for (let n = 0; n < 60; n++) {
        clock.advance(1 + ((n * 7_919) % (3 * MINUTE)))
        last =
          (await provider.refresh('test', session.id, n % 3 === 0 ? { clientId: 'test-app' } : {})) ?? last
        await assertAlive(stage, session, true)
      }
      const client = (await provider.get('test', session.id))?.clients.get('test-app')
      const clientEnds = client?.expiresAt ?? 0
      assert.ok(clientEnds <= last.expiresAt)
      clock.set(clientEnds - 1)
      assert.equal(await provider.countByClient('test', 'test-app'), 1)
      clock.set(clientEnds)
      assert.equal(await provider.countByClient('test', 'test-app'), 0)
      clock.set(last.expiresAt - 1)
      assert.equal(await provider.count('test'), 1)
      clock.set(last.expiresAt)
      assert.equal(await provider.count('test'), 0)
    },
  )

  add.expiry('remember-me only lengthens', 'A1/15, B1/V6, V7', async ({ provider, clock, setRealm }) => {
    const started = clock.now()
    const ends = async (rememberMe: boolean) =>
      (await provider.create('test', login('user1', { rememberMe })).then(createdSession)).expiresAt - started
    setRealm('test', {
      ...realmOf({ idle: 600, max: 3600 }),
      ssoSessionIdleTimeoutRememberMeMs: 100 * SECOND,
      ssoSessionMaxLifespanRememberMeMs: 100 * SECOND,
    })
    assert.equal(await ends(true), 600 * SECOND)
    setRealm('test', {
      ...realmOf({ idle: 600, max: 3600 }),
      ssoSessionIdleTimeoutRememberMeMs: 2400 * SECOND,
      ssoSessionMaxLifespanRememberMeMs: 14_400 * SECOND,
    })
    assert.equal(await ends(true), 2400 * SECOND)
    assert.equal(await ends(false), 600 * SECOND)
  })

  add.expiry(
    'sessions of one realm end each at its own time',
    'A1/14, A1/15, A1/16, A4/64',
    async (stage) => {
      const { provider, clock, setRealm } = stage
      setRealm('test', {
        ssoSessionIdleTimeoutRememberMeMs: 4 * IDLE_MS,
        ssoSessionMaxLifespanRememberMeMs: 4 * MAX_MS,
      })
      const now = clock.now()
      const created = async (age: number, idle: number, rememberMe: boolean) => {
        clock.set(now - age)
        const { id } = await provider
          .create('test', login('user1', { rememberMe, client: { clientId: 'app' } }))
          .then(createdSession)
        for (let at = now - age; at < now - idle; at += 20 * MINUTE) {
          clock.set(Math.min(at, now - idle))
          await provider.refresh('test', id, { clientId: 'app' })
        }
        clock.set(now - idle)
        await provider.refresh('test', id, { clientId: 'app' })
        return id
      }
      const tooOld = await created(MAX_MS + 1, 0, false)
      const tooIdle = await created(HOUR, IDLE_MS, false)
      const valid = await created(HOUR, 0, false)
      const remembered = await created(2 * MAX_MS, 2 * IDLE_MS, true)
      const rememberedTooOld = await created(4 * MAX_MS + 1, 0, true)
      const rememberedTooIdle = await created(5 * HOUR, 4 * IDLE_MS, true)
      clock.set(now)
      for (const id of [tooOld, tooIdle, rememberedTooOld, rememberedTooIdle]) {
        assert.equal(await provider.get('test', id), undefined)
      }
      for (const id of [valid, remembered])
        assert.deepEqual(clientIds(await provider.get('test', id)), ['app'])
      assert.equal(await provider.count('test'), 2)
      await provider.sweep()
      assert.equal(await provider.count('test'), 2)
      assert.equal(await provider.remove('test', tooOld), false)
      for (const id of [valid, remembered])
        assert.deepEqual(clientIds(await provider.get('test', id)), ['app'])
    },
  )

  add.expiry(
    'a client session ends before its user session',
    'A2/27',
    async ({ provider, clock, setRealm }) => {
      setRealm('test', realmOf({ idle: 1800, clientIdle: 500 }))
      const [s0] = await createS3(provider)
      assert.equal(s0.clients.get('test-app')?.expiresAt, clock.now() + 500 * SECOND)
      clock.advance(500 * SECOND - 1)
      assert.equal(await provider.countByClient('test', 'test-app'), 3)
      clock.advance(1)
      assert.equal((await provider.get('test', s0.id))?.clients.size, 0)
      assert.equal(await provider.get('test', s0.id, { clientId: 'test-app' }), undefined)
      assert.equal(await provider.refresh('test', s0.id, { clientId: 'test-app' }), undefined)
      assert.equal(await provider.removeClientSession('test', s0.id, 'test-app'), false)
      assert.equal(await provider.countByClient('test', 'test-app'), 0)
      assert.deepEqual(await provider.clientStats('test'), new Map())
      assert.deepEqual((await provider.listByClient('test', 'test-app')).items, [])
      assert.equal(await provider.count('test'), 3)
    },
  )

  add.expiry(
    'a client session that outlives its user session counts no longer than that',
    'B2/C4',
    async (stage) => {
      const { provider, clock, setRealm } = stage
      setRealm('test', {
        ...realmOf({ idle: 600, max: 3600 }),
        clients: () => ({ sessionIdleTimeoutMs: HOUR }),
      })
      const session = await provider
        .create('test', login('user1', { client: { clientId: 'app' } }))
        .then(createdSession)
      assert.equal(session.clients.get('app')?.expiresAt, clock.now() + HOUR)
      clock.advance(500 * SECOND)
      await provider.refresh('test', session.id)
      clock.advance(500 * SECOND)
      assert.equal(await provider.countByClient('test', 'app'), 1)
      clock.advance(100 * SECOND)
      assert.equal(await provider.countByClient('test', 'app'), 0)
      assert.equal(await provider.get('test', session.id, { clientId: 'app' }), undefined)
    },
  )

  add.expiry('reading never extends', '§2.4, issue', async ({ provider, clock }) => {
    const [s0] = await createS3(provider)
    for (let n = 0; n < 6; n++) {
      clock.advance(IDLE_MS / 6)
      await provider.get('test', s0.id)
      await provider.listByUser('test', 'user1')
      await provider.countByClient('test', 'test-app')
      await provider.clientStats('test')
    }
    assert.equal(await provider.get('test', s0.id), undefined)
  })
}

/** SessionTimeoutsTest: online and offline, the time-outs on the realm and on the client. */
function timeouts(add: SuiteBuilder<UserSessionProvider>): void {
  for (const [offline, onClient, scenarios] of [
    [false, false, ['A3/37', 'A3/41', 'A3/45', 'A3/46']],
    [true, false, ['A3/38', 'A3/42', 'A3/47', 'A3/48']],
    [false, true, ['A3/39', 'A3/43']],
    [true, true, ['A3/40', 'A3/44']],
  ] as const) {
    const name = `${offline ? 'offline' : 'online'}, set on the ${onClient ? 'client' : 'realm'}`
    const spans = (idle: number | undefined, max: number | undefined): RealmSettings =>
      onClient
        ? {
            clients: () => ({
              sessionIdleTimeoutMs: (idle ?? 0) * SECOND,
              sessionMaxLifespanMs: (max ?? 0) * SECOND,
              offlineSessionIdleTimeoutMs: (idle ?? 0) * SECOND,
              offlineSessionMaxLifespanMs: (max ?? 0) * SECOND,
            }),
          }
        : pick(
            realmOf({
              ...(idle !== undefined && { clientIdle: idle }),
              ...(max !== undefined && { clientMax: max }),
            }),
          )

    add.expiry(`client max below the session's: ${name}`, scenarios[0], async (stage) => {
      stage.setRealm('test', { ...realmOf({ idle: 7200, max: 3000 }), ...spans(undefined, 2000) })
      const { id, started } = await begin(stage, offline)
      const at = (seconds: number) => stage.clock.set(started + seconds * SECOND)
      at(1000)
      await assertBoth(stage, id, offline, true, true)
      at(2100)
      await assertBoth(stage, id, offline, true, false)
      const put = await stage.provider
        .putClientSession('test', id, { clientId: 'app' }, { offline })
        .then(sessionOf)
      assert.equal(put?.clients.get('app')?.startedAt, started + 2100 * SECOND)
      at(2500)
      await assertBoth(stage, id, offline, true, true)
      at(3100)
      await assertBoth(stage, id, offline, false, false)
    })

    add.expiry(`client max above the session's: ${name}`, scenarios[1], async (stage) => {
      stage.setRealm('test', { ...realmOf({ idle: 7200, max: 3000 }), ...spans(undefined, 5000) })
      const { id, started } = await begin(stage, offline)
      stage.clock.set(started + 2000 * SECOND)
      await assertBoth(stage, id, offline, true, true)
      stage.clock.set(started + 3100 * SECOND)
      await assertBoth(stage, id, offline, false, false)
    })

    add.expiry(
      `client idle below the session's, no refresh: ${name}`,
      scenarios[2] ?? '§2.3',
      async (stage) => {
        stage.setRealm('test', { ...realmOf({ idle: 3000, max: 7200 }), ...spans(2000, undefined) })
        const { id, started } = await begin(stage, offline)
        stage.clock.set(started + 2100 * SECOND)
        await assertBoth(stage, id, offline, true, false)
        assert.ok(
          await stage.provider.putClientSession('test', id, { clientId: 'app' }, { offline }).then(sessionOf),
        )
        await assertBoth(stage, id, offline, true, true)
        stage.clock.set(started + 3100 * SECOND)
        await assertBoth(stage, id, offline, false, false)
      },
    )

    add.expiry(
      `client idle below the session's, one refresh: ${name}`,
      scenarios[3] ?? '§2.3',
      async (stage) => {
        stage.setRealm('test', { ...realmOf({ idle: 3000, max: 7200 }), ...spans(2000, undefined) })
        const { id, started } = await begin(stage, offline)
        stage.clock.set(started + 1500 * SECOND)
        assert.ok(await stage.provider.refresh('test', id, { clientId: 'app', offline }))
        stage.clock.set(started + 3000 * SECOND)
        await assertBoth(stage, id, offline, true, true)
        stage.clock.set(started + (1500 + 2100) * SECOND)
        await assertBoth(stage, id, offline, true, false)
        assert.ok(
          await stage.provider.putClientSession('test', id, { clientId: 'app' }, { offline }).then(sessionOf),
        )
        await assertBoth(stage, id, offline, true, true)
        stage.clock.set(started + (1500 + 3100) * SECOND)
        await assertBoth(stage, id, offline, false, false)
      },
    )
  }

  add.expiry('offline: no end in all unless the realm has one', 'B1/V8, V9, V10', async (stage) => {
    const { provider, clock, setRealm } = stage
    const ends = async () => {
      const { id } = await provider.create('test', login('user1', { rememberMe: true })).then(createdSession)
      return ((await provider.createOffline('test', id).then(sessionOf))?.expiresAt ?? 0) - clock.now()
    }
    assert.equal(await ends(), OFFLINE_IDLE_MS)
    const idle = { offlineSessionIdleTimeoutMs: 100 * SECOND }
    setRealm('test', { ...idle, offlineSessionMaxLifespanEnabled: true })
    assert.equal(await ends(), 100 * SECOND)
    setRealm('test', {
      ...idle,
      offlineSessionMaxLifespanEnabled: true,
      offlineSessionMaxLifespanMs: 50 * SECOND,
    })
    assert.equal(await ends(), 50 * SECOND)
    setRealm('test', { ...idle, offlineSessionMaxLifespanMs: 50 * SECOND })
    assert.equal(await ends(), 100 * SECOND)
  })
}

/** Time-outs that change while sessions live. */
function changes(add: SuiteBuilder<UserSessionProvider>): void {
  add.expiry(
    'time-outs: the next write follows, reading does not',
    '§20 4, issue',
    async ({ provider, clock, setRealm }) => {
      const [s0, s1] = await createS3(provider)
      setRealm('test', realmOf({ idle: 3600, max: 36_000 }))
      assert.equal((await provider.get('test', s0.id))?.expiresAt, s0.expiresAt)
      assert.equal((await provider.update('test', s0.id, {}))?.expiresAt, clock.now() + HOUR)
      clock.advance(IDLE_MS)
      assert.ok(await provider.get('test', s0.id))
      assert.equal(await provider.get('test', s1.id), undefined)
      assert.equal(await provider.touch('test', s1.id), undefined)
      assert.equal(await provider.refresh('test', s1.id), undefined)
      assert.equal(await provider.count('test'), 1)

      setRealm('test', realmOf({ idle: 60 }))
      assert.ok(await provider.get('test', s0.id))
      assert.equal(await provider.refresh('test', s0.id), undefined)
      assert.equal(await provider.get('test', s0.id), undefined)
      assert.equal(await provider.count('test'), 0)
    },
  )

  add.expiry(
    'time-outs: remember-me switched off, and not-before, end at the next write',
    'A4/65, §8',
    async ({ provider, clock, setRealm }) => {
      const kept = await provider.create('test', login()).then(createdSession)
      const remembered = await provider
        .create('test', login('user1', { rememberMe: true }))
        .then(createdSession)
      setRealm('test', { rememberMe: false })
      assert.equal(await provider.refresh('test', remembered.id), undefined)
      assert.equal(await provider.get('test', remembered.id), undefined)
      assert.ok(await provider.refresh('test', kept.id))
      assert.equal(
        (await provider.create('test', login('user1', { rememberMe: true })).then(createdSession)).rememberMe,
        false,
      )

      setRealm('test', { notBefore: clock.now() })
      assert.ok(await provider.touch('test', kept.id))
      clock.advance(SECOND)
      setRealm('test', { notBefore: clock.now() })
      assert.equal(await provider.touch('test', kept.id), undefined)
      assert.equal(await provider.get('test', kept.id), undefined)
      assert.ok(
        await provider.refresh('test', (await provider.create('test', login()).then(createdSession)).id),
      )
    },
  )

  add.expiry('recompute: every life at once', '§20 4, issue', async (stage) => {
    const { provider, clock, setRealm } = stage
    const started = clock.now()
    const many = await Promise.all(
      Array.from({ length: 150 }, (_, n) =>
        provider
          .create('test', login(`user${n % 40}`, { client: { clientId: `app${n % 3}` } }))
          .then(createdSession),
      ),
    )
    const first = many[0] ?? assert.fail()
    await provider.createOffline('test', first.id).then(sessionOf)
    const other = await provider.create('other', login()).then(createdSession)
    assert.equal(await provider.recompute('test'), 0)

    setRealm('test', {
      ...realmOf({ idle: 3600 }),
      clients: (id) => (id === 'app1' ? { sessionIdleTimeoutMs: 60 * SECOND } : undefined),
    })
    assert.equal(await provider.recompute('test'), 151)
    assert.equal((await provider.get('test', first.id))?.expiresAt, started + HOUR)
    assert.equal((await provider.get('test', first.id, { offline: true }))?.expiresAt, started + HOUR)
    assert.deepEqual(plain(await provider.get('other', other.id)), plain(other))
    clock.advance(60 * SECOND - 1)
    assert.deepEqual(
      await provider.clientStats('test'),
      new Map([
        ['app0', 50],
        ['app1', 50],
        ['app2', 50],
      ]),
    )
    clock.advance(1)
    assert.deepEqual(
      await provider.clientStats('test'),
      new Map([
        ['app0', 50],
        ['app2', 50],
      ]),
    )
    clock.set(started + IDLE_MS)
    assert.equal(await provider.count('test'), 150)

    setRealm('test', realmOf({ idle: 60 }))
    assert.equal(await provider.recompute('test'), 151)
    assert.equal(await provider.count('test'), 0)
    assert.equal(await provider.countByClient('test', 'app0'), 0)
    assert.equal(await provider.get('test', first.id), undefined)
    assert.equal(await provider.get('test', first.id, { offline: true }), undefined)
    assert.equal(await provider.sweep(), 152)
  })
}

const pick = (settings: RealmSettings): RealmSettings => ({
  clientSessionIdleTimeoutMs: settings.clientSessionIdleTimeoutMs,
  clientSessionMaxLifespanMs: settings.clientSessionMaxLifespanMs,
  clientOfflineSessionIdleTimeoutMs: settings.clientOfflineSessionIdleTimeoutMs,
  clientOfflineSessionMaxLifespanMs: settings.clientOfflineSessionMaxLifespanMs,
})

/** A session with remember-me and a client session, online or offline. */
async function begin({ provider, clock }: StageOf, offline: boolean) {
  const started = clock.now()
  const { id } = await provider
    .create('test', login('user1', { rememberMe: true, client: { clientId: 'app' } }))
    .then(createdSession)
  if (offline) assert.deepEqual(clientIds(await provider.createOffline('test', id).then(sessionOf)), ['app'])
  return { id, started }
}

async function assertBoth(
  { provider }: StageOf,
  id: string,
  offline: boolean,
  session: boolean,
  client: boolean,
): Promise<void> {
  const found = await provider.get('test', id, { offline })
  assert.equal(found !== undefined, session, 'the user session')
  assert.equal(found?.clients.has('app') ?? false, client, 'the client session in it')
  assert.equal(
    (await provider.get('test', id, { offline, clientId: 'app' })) !== undefined,
    client,
    'the client session',
  )
  assert.equal(await provider.count('test', { offline }), session ? 1 : 0, 'the count')
  assert.equal(
    await provider.countByClient('test', 'app', { offline }),
    client ? 1 : 0,
    'the count by client',
  )
}

/** Whether a session is found by every look. */
async function assertAlive({ provider }: StageOf, session: UserSession, alive: boolean): Promise<void> {
  const { realmId, id, userId } = session
  const has = (items: readonly UserSession[]) => items.some((item) => item.id === id)
  assert.equal((await provider.get(realmId, id)) !== undefined, alive, 'get')
  assert.equal(has((await provider.listByUser(realmId, userId)).items), alive, 'listByUser')
  assert.equal(has((await provider.list(realmId)).items), alive, 'list')
  assert.equal((await provider.count(realmId)) > 0, alive, 'count')
  for (const clientId of session.clients.keys()) {
    assert.equal(has((await provider.listByClient(realmId, clientId)).items), alive, 'listByClient')
    assert.equal((await provider.countByClient(realmId, clientId)) > 0, alive, 'countByClient')
    assert.equal((await provider.clientStats(realmId)).has(clientId), alive, 'clientStats')
  }
}
