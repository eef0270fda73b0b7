import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { ClientSessionEvent, UserSessionEvent, UserSessionProvider } from '../contract.js'
import { createdSession, HOUR, IDLE_MS, login, OFFLINE_IDLE_MS, SECOND, sessionOf } from './fixture.js'

/** What listeners are told of client sessions, and of notes. */
export function heard(add: SuiteBuilder<UserSessionProvider>): void {
  add.basic(
    'on: client-removed tells which client session ended, and why',
    'issue: client sessions, §13',
    async ({ provider, clock }) => {
      const seen: ClientSessionEvent[] = []
      const stop = provider.on('client-removed', (event) => seen.push(event))
      const reasons = () => seen.splice(0).map(({ clientId, reason }) => `${clientId} ${reason}`)
      const clients = (...clientIds: string[]) =>
        Promise.all(
          clientIds.map((clientId) => provider.putClientSession('test', id, { clientId }).then(sessionOf)),
        )
      const { id } = await provider
        .create('test', login('user:1', { client: { clientId: 'a:pp' } }))
        .then(createdSession)
      await provider.createOffline('test', id).then(sessionOf)
      assert.deepEqual(seen, [])

      assert.equal(await provider.removeClientSession('test', id, 'a:pp'), true)
      const event = { realmId: 'test', sessionId: id, userId: 'user:1', clientId: 'a:pp', at: clock.now() }
      assert.deepEqual(seen, [{ type: 'client-removed', ...event, offline: false, reason: 'removed' }])
      seen.length = 0
      assert.equal(await provider.removeClientSession('test', id, 'a:pp'), false)
      assert.equal(await provider.removeByClient('test', 'a:pp', { offline: true }), 1)
      assert.deepEqual(seen, [{ type: 'client-removed', ...event, offline: true, reason: 'client' }])
      seen.length = 0

      await clients('app', 'tab', 'other')
      const rotation = { clientId: 'app', family: 'f', maxReuse: 0 }
      const present = (presented: string, next: string, more: object = {}) =>
        provider.rotateRefreshToken('test', id, {
          ...rotation,
          presented,
          next,
          issuedAt: clock.now(),
          ...more,
        })
      await present('T1', 'T2')
      assert.deepEqual(await present('T1', 'T3'), { outcome: 'reused' })
      assert.deepEqual(reasons(), ['app reused'])
      assert.deepEqual(await present('T1', 'T3'), { outcome: 'gone' })
      await clients('app')
      assert.deepEqual(await present('T2', 'T3'), { outcome: 'stale' }, 'of an earlier client session')
      assert.deepEqual(reasons(), [])
      clock.advance(SECOND)
      await present('U1', 'U2', { family: 'g' })
      await present('U2', 'U3', { family: 'g' })
      assert.deepEqual(await present('U1', 'U4', { family: 'g' }), { outcome: 'stale' })
      assert.deepEqual(reasons(), ['app stale'])

      await provider.restart('test', id, login('user:1', { client: { clientId: 'tab' } })).then(sessionOf)
      assert.deepEqual(reasons().sort(), ['other restarted', 'tab restarted'])
      stop()
      await provider.removeClientSession('test', id, 'tab')
      assert.deepEqual(seen, [])
    },
  )

  add.basic(
    'on: nothing is told twice: the end of a session names its clients, the last one too',
    'issue: client sessions',
    async ({ provider, clock, setRealm }) => {
      const seen: string[] = []
      provider.on('*', (event) => {
        if (event.type === 'client-removed') seen.push(`${event.clientId} ${event.reason}`)
        else if (event.type !== 'created')
          seen.push(`${event.type}: ${[...event.clientIds].sort()} ${event.reason}`)
      })
      const begin = async () => {
        const { id } = await provider
          .create('test', login('user1', { client: { clientId: 'one' } }))
          .then(createdSession)
        await provider.putClientSession('test', id, { clientId: 'two' }).then(sessionOf)
        return id
      }
      const first = await begin()
      await provider.removeClientSession('test', first, 'one', { endWhenLast: true })
      await provider.removeClientSession('test', first, 'two', { endWhenLast: true })
      assert.deepEqual(seen.splice(0), ['one removed', 'removed: two last-client'])
      assert.equal(await provider.countByClient('test', 'two'), 0)
      await provider.remove('test', await begin())
      await begin()
      await provider.removeByUser('test', 'user1')
      assert.deepEqual(seen.splice(0), ['removed: one,two removed', 'removed: one,two user'])

      setRealm('test', {
        clients: (clientId) => (clientId === 'one' ? { sessionIdleTimeoutMs: SECOND } : {}),
      })
      const last = await begin()
      clock.advance(SECOND)
      assert.equal((await provider.refresh('test', last))?.clients.has('one'), false)
      assert.equal(await provider.removeClientSession('test', last, 'one'), false)
      assert.equal(await provider.removeByClient('test', 'one'), 0)
      assert.deepEqual(seen, [], 'a client session that merely expires is told by no event')
      await provider.restart('test', last, login('user1', { client: { clientId: 'three' } })).then(sessionOf)
      assert.deepEqual(seen.splice(0), ['two restarted'])
      clock.advance(IDLE_MS)
      await provider.sweep()
      assert.deepEqual(seen, ['expired: three undefined'])
    },
  )

  add.basic(
    'on: removeByClient tells of each client session, of hundreds',
    'issue: client sessions',
    async ({ provider }) => {
      const users = new Map<string, string>()
      for (let n = 0; n < 250; n++) {
        const { id, userId } = await provider
          .create('test', login(`user${n % 2}`, { client: { clientId: 'a' } }))
          .then(createdSession)
        users.set(id, userId)
      }
      const seen = new Map<string, string | undefined>()
      provider.on('client-removed', ({ sessionId, userId }) => seen.set(sessionId, userId))
      assert.equal(await provider.removeByClient('test', 'a'), 250)
      assert.deepEqual(new Map([...seen].sort()), new Map([...users].sort()))
    },
  )

  add.basic(
    'on: with notes, what ended has the notes of its user session, for who asks alone',
    'issue: notes',
    async ({ provider, withProperties, clock, logger }) => {
      const notes = { a: 'canary-1', 'b:c': 'canary-2' }
      const limited = await withProperties({ maxSessionsPerUser: 1, limitPolicy: 'end-oldest' })
      const seen: UserSessionEvent[] = []
      const plain: UserSessionEvent[] = []
      const listen = (item: UserSessionProvider) => {
        item.on('removed', (event) => seen.push(event), { notes: true })
        item.on('expired', (event) => seen.push(event), { notes: true })
        item.on('removed', (event) => plain.push(event), { notes: false })
        item.on('expired', (event) => plain.push(event))
        item.on('removed', () => Promise.reject(new Error('a listener fails')), { notes: true })
      }
      listen(provider)
      listen(limited)
      const begin = (item = provider, userId = 'user1') =>
        item
          .create('test', {
            ...login(userId, { notes, brokerSessionId: 'b' }),
            client: { clientId: 'app', notes: { a: 'canary-3' } },
          })
          .then(createdSession)
      const heard = () => seen.splice(0).map(({ type, reason, notes }) => [type, reason, notes])

      const { id } = await begin()
      await provider.update('test', id, { notes: { a: null, d: 'canary-4' } })
      await provider.remove('test', id)
      assert.deepEqual(heard(), [['removed', 'removed', { 'b:c': 'canary-2', d: 'canary-4' }]])
      await provider.removeClientSession('test', (await begin()).id, 'app', { endWhenLast: true })
      await begin()
      await provider.removeByUser('test', 'user1')
      await begin()
      await provider.removeByBrokerSession('test', 'b')
      await provider.create('test', login()).then(createdSession)
      await provider.removeByRealm('test')
      clock.advance(SECOND)
      await begin(limited)
      await limited.remove('test', (await begin(limited)).id)
      assert.deepEqual(heard(), [
        ['removed', 'last-client', notes],
        ['removed', 'user', notes],
        ['removed', 'broker-session', notes],
        ['removed', 'realm', {}],
        ['removed', 'limit', notes],
        ['removed', 'removed', notes],
      ])

      for (let n = 0; n < 9; n++) await begin(provider, `user${n}`)
      await provider.createOffline('test', (await begin()).id).then(sessionOf)
      clock.advance(IDLE_MS + HOUR)
      await provider.sweep()
      clock.advance(OFFLINE_IDLE_MS)
      await provider.sweep()
      assert.deepEqual(heard(), Array(11).fill(['expired', undefined, notes]))
      assert.equal(plain.length, 18)
      assert.equal(plain.filter((event) => 'notes' in event).length, 0)
      assert.ok(!JSON.stringify(logger.entries).includes('canary'), 'a note is in the log')
    },
  )

  add.basic('on: notes are refused where there are none', 'contract', async ({ provider }) => {
    for (const type of ['created', 'client-removed'] as const) {
      assert.throws(() => provider.on(type, () => {}, { notes: true }), {
        name: 'TypeError',
        message: /options\.notes/,
      })
    }
    assert.throws(() => provider.on('removed', () => {}, { notes: 1 as never }), TypeError)
    provider.on('*', () => {}, { notes: true })()
  })
}
