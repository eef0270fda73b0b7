import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { UserSession, UserSessionProvider } from '../contract.js'
import {
  createdSession,
  HOUR,
  IDLE_MS,
  login,
  MAX_MS,
  MINUTE,
  realmOf,
  SECOND,
  sessionOf,
} from './fixture.js'

type Use = (provider: UserSessionProvider, session: UserSession) => Promise<unknown>

const CLIENT = { clientId: 'app' }

/** The verbs by which one client says that a session is in use. */
const uses: Readonly<Record<string, Use>> = {
  refresh: (provider, { id }) => provider.refresh('test', id, CLIENT),
  touch: (provider, { id }) => provider.touch('test', id, CLIENT),
}

/** What a use that names a client is bound by, and what follows it. */
export function clientUse(add: SuiteBuilder<UserSessionProvider>): void {
  for (const [name, use] of Object.entries(uses)) {
    ends(add, name, use)
    follows(add, name, use)
  }
}

function ends(add: SuiteBuilder<UserSessionProvider>, name: string, use: Use): void {
  add.expiry(
    `${name} for a client: not of a session that is over, by what applied or by what applies now`,
    'issue, §8',
    async ({ provider, clock, setRealm }) => {
      const create = () => provider.create('test', login('user1', { client: CLIENT })).then(createdSession)
      setRealm('test', {
        ...realmOf({ idle: 1800, max: 36_000 }),
        clients: () => ({ sessionIdleTimeoutMs: 2 * HOUR }),
      })
      const over = await create()
      clock.advance(IDLE_MS)
      setRealm('test', realmOf({ idle: 3600, max: 36_000 }))
      assert.equal(await use(provider, over), undefined, 'longer time-outs wake nothing')

      const shortened = await create()
      clock.advance(2 * MINUTE)
      setRealm('test', realmOf({ idle: 60, max: 36_000 }))
      assert.equal(await use(provider, shortened), undefined)
      assert.equal(await provider.get('test', shortened.id), undefined)

      setRealm('test', realmOf({ idle: 1800, max: 36_000 }))
      const early = await create()
      clock.advance(SECOND)
      setRealm('test', { ...realmOf({ idle: 1800, max: 36_000 }), notBefore: clock.now() })
      const late = await create()
      assert.equal(await use(provider, early), undefined)
      assert.equal(await provider.get('test', early.id), undefined)
      assert.ok(await use(provider, late))
      assert.equal(await provider.count('test'), 1)
    },
  )

  add.expiry(
    `${name} for a client: not of a client session that is over, by what applied or by what applies now`,
    'issue',
    async ({ provider, clock, setRealm }) => {
      const seconds = (clientIdle: number) =>
        setRealm('test', realmOf({ idle: 1800, max: 36_000, clientIdle }))
      seconds(60)
      const session = await provider.create('test', login('user1', { client: CLIENT })).then(createdSession)
      clock.advance(MINUTE)
      seconds(600)
      assert.equal(await use(provider, session), undefined, 'longer time-outs wake nothing')
      assert.ok(await provider.get('test', session.id))

      await provider.putClientSession('test', session.id, CLIENT).then(sessionOf)
      clock.advance(2 * MINUTE)
      seconds(60)
      assert.equal(await use(provider, session), undefined)
      assert.ok(await provider.touch('test', session.id))
    },
  )

  add.expiry(
    `${name} for a client: a client session that joined late ends with its session at the latest`,
    'B1/V4, issue',
    async ({ provider, clock, setRealm }) => {
      setRealm('test', realmOf({ idle: 36_000, max: 36_000 }))
      const session = await provider.create('test', login()).then(createdSession)
      clock.advance(5 * HOUR)
      await provider.putClientSession('test', session.id, CLIENT).then(sessionOf)
      clock.advance(SECOND)
      assert.ok(await use(provider, session))
      const read = await provider.get('test', session.id)
      assert.equal(read?.expiresAt, session.startedAt + MAX_MS)
      assert.equal(read?.clients.get('app')?.expiresAt, session.startedAt + MAX_MS)
    },
  )

  add.expiry(
    `${name} for a client: by a clock that is behind, takes nothing back`,
    '§19 row 12, issue',
    async ({ provider, clock }) => {
      const session = await provider.create('test', login('user1', { client: CLIENT })).then(createdSession)
      clock.advance(5 * SECOND)
      assert.ok(await use(provider, session))
      const before = await provider.get('test', session.id)
      clock.advance(-3 * SECOND)
      assert.ok(await use(provider, session))
      const after = await provider.get('test', session.id)
      assert.deepEqual(after?.clients.get('app'), before?.clients.get('app'))
      assert.equal(after?.lastRefreshAt, before?.lastRefreshAt)
      assert.equal(after?.expiresAt, before?.expiresAt)
    },
  )
}

function follows(add: SuiteBuilder<UserSessionProvider>, name: string, use: Use): void {
  add.expiry(
    `${name} for a client: other client sessions that outlive the session count for as long as it lives`,
    'B2/C4, issue',
    async ({ provider, clock, setRealm }) => {
      const LONG = { clientId: 'long' }
      setRealm('test', realmOf({ idle: 600, max: 36_000 }))
      const lengthened = await provider
        .create('test', login('user1', { client: CLIENT }))
        .then(createdSession)
      await provider.putClientSession('test', lengthened.id, LONG).then(sessionOf)
      setRealm('test', {
        ...realmOf({ idle: 600, max: 36_000 }),
        clients: (clientId) => (clientId === 'long' ? { sessionIdleTimeoutMs: 2 * HOUR } : undefined),
      })
      assert.ok(await provider.refresh('test', lengthened.id, LONG))
      const joined = await provider.create('test', login('user1', { client: CLIENT })).then(createdSession)
      await provider.putClientSession('test', joined.id, LONG).then(sessionOf)
      const first = await provider.create('test', login('user1', { client: LONG })).then(createdSession)
      await provider.putClientSession('test', first.id, CLIENT).then(sessionOf)
      const anew = await provider.create('test', login('user1')).then(createdSession)
      await provider.restart('test', anew.id, login('user1', { client: LONG })).then(sessionOf)
      await provider.putClientSession('test', anew.id, CLIENT).then(sessionOf)
      for (let turn = 0; turn < 4; turn++) {
        clock.advance((turn === 2 ? 5 : 500) * SECOND)
        for (const session of [lengthened, joined, first, anew]) assert.ok(await use(provider, session))
      }
      clock.advance(599 * SECOND)
      assert.equal(await provider.countByClient('test', 'long'), 4)
      clock.advance(SECOND)
      assert.equal(await provider.countByClient('test', 'long'), 0)
      assert.equal(await provider.count('test'), 0)
    },
  )

  add.expiry(
    `${name} for a client: counts follow a life that became shorter, and one of seconds`,
    'performance: coarse touch',
    async ({ provider, clock, setRealm }) => {
      const session = await provider.create('test', login('user1', { client: CLIENT })).then(createdSession)
      await provider.putClientSession('test', session.id, { clientId: 'other' }).then(sessionOf)
      const counts = async () => [
        await provider.count('test'),
        await provider.countByClient('test', 'app'),
        await provider.countByClient('test', 'other'),
        (await provider.listByUser('test', 'user1')).items.length,
      ]
      setRealm('test', realmOf({ idle: 600 }))
      assert.ok(await use(provider, session))
      clock.advance(600 * SECOND - 1)
      assert.deepEqual(await counts(), [1, 1, 1, 1])
      clock.advance(1)
      assert.deepEqual(await counts(), [0, 0, 0, 0])

      setRealm('test', realmOf({ idle: 60 }))
      const brief = await provider.create('test', login('user1', { client: CLIENT })).then(createdSession)
      await provider.putClientSession('test', brief.id, { clientId: 'other' }).then(sessionOf)
      clock.advance(10 * SECOND)
      assert.ok(await use(provider, brief))
      clock.advance(49 * SECOND)
      assert.deepEqual(await counts(), [1, 1, 1, 1])
      clock.advance(SECOND)
      assert.deepEqual(await counts(), [1, 1, 0, 1], 'the other was not used')
      clock.advance(10 * SECOND)
      assert.deepEqual(await counts(), [0, 0, 0, 0])
    },
  )
}
