import assert from 'node:assert/strict'
import { logsErrors, type SuiteBuilder } from '@authstate/conformance'
import type { UserSessionEvent, UserSessionProvider } from '../contract.js'
import { createdSession, createS3, DAY, IDLE_MS, ids, login, MINUTE, sessionOf } from './fixture.js'

/** What listeners are told, and the sweep. */
export function events(add: SuiteBuilder<UserSessionProvider>): void {
  add.basic('on: created and removed, with the reason', 'A1/24, issue', async ({ provider, clock }) => {
    const seen: UserSessionEvent[] = []
    const off = (['created', 'removed', 'expired'] as const).map((type) =>
      provider.on(type, (event) => seen.push(event)),
    )
    const heard = () =>
      seen.splice(0).map(({ type, sessionId, reason, offline }) => [type, sessionId, reason, offline])
    const first = await provider
      .create('test', login('user:1', { client: { clientId: 'a:pp' } }))
      .then(createdSession)
    assert.deepEqual(seen, [
      {
        type: 'created',
        realmId: 'test',
        sessionId: first.id,
        offline: false,
        userId: 'user:1',
        clientIds: ['a:pp'],
        at: clock.now(),
      },
    ])
    seen.length = 0
    await provider.createOffline('test', first.id).then(sessionOf)
    await provider.createOffline('test', first.id).then(sessionOf)
    await provider.removeClientSession('test', first.id, 'a:pp', { endWhenLast: true, offline: true })
    assert.deepEqual(heard(), [
      ['created', first.id, undefined, true],
      ['removed', first.id, 'last-client', true],
    ])
    await provider.remove('test', first.id)
    await provider.remove('test', first.id)
    const second = await provider.create('test', login('user2')).then(createdSession)
    await provider.removeByUser('test', 'user2')
    const third = await provider.create('test', login('user3')).then(createdSession)
    await provider.refresh('test', third.id)
    await provider.removeByRealm('test')
    await provider.create('test', { ...login(), transient: true }).then(createdSession)
    assert.deepEqual(heard(), [
      ['removed', first.id, 'removed', false],
      ['created', second.id, undefined, false],
      ['removed', second.id, 'user', false],
      ['created', third.id, undefined, false],
      ['removed', third.id, 'realm', false],
    ])
    for (const end of off) end()
    await provider.create('test', login()).then(createdSession)
    assert.deepEqual(seen, [])
  })

  add.basic('on: with "*", all of them', 'contract', async ({ provider }) => {
    const heard: string[] = []
    const stop = provider.on('*', ({ type, sessionId }) => heard.push(`${type} ${sessionId}`))
    const { id } = await provider.create('test', login()).then(createdSession)
    await provider.remove('test', id)
    stop()
    await provider.create('test', login()).then(createdSession)
    assert.deepEqual(heard, [`created ${id}`, `removed ${id}`])
  })

  add.basic(
    'on: what a listener throws reaches nobody, and is logged',
    'issue',
    async ({ provider, logger }) => {
      const heard: string[] = []
      provider.on('created', () => {
        throw new Error('first')
      })
      provider.on('created', async () => Promise.reject(new Error('second')))
      const off = provider.on('created', ({ sessionId }) => heard.push(sessionId))
      const { id } = await provider.create('test', login()).then(createdSession)
      assert.deepEqual(heard, [id])
      await logsErrors(logger, 2)
      off()
      off()
      await provider.create('test', login()).then(createdSession)
      assert.deepEqual(heard, [id])
      assert.throws(() => provider.on('gone' as 'created', () => {}), TypeError)
      assert.throws(() => provider.on('created', 'x' as unknown as () => void), TypeError)
    },
  )

  add.expiry(
    'sweep: tells of what expired, once, and frees it',
    'issue, A4/66',
    async ({ provider, clock }) => {
      const expired: UserSessionEvent[] = []
      provider.on('expired', (event) => expired.push(event))
      const sessions = await createS3(provider)
      await provider.createOffline('test', sessions[0].id).then(sessionOf)
      clock.advance(IDLE_MS - 1)
      assert.equal(await provider.sweep(), 0)
      await provider.refresh('test', sessions[1].id)
      clock.advance(1)
      assert.equal(await provider.sweep(), 2)
      assert.equal(await provider.sweep(), 0)
      assert.deepEqual(expired.map(({ sessionId }) => sessionId).sort(), ids([sessions[0], sessions[2]]))
      const ended = expired.find(({ sessionId }) => sessionId === sessions[0].id)
      assert.deepEqual([...(ended?.clientIds ?? [])].sort(), ['test-app', 'third-party'])
      assert.deepEqual(ended, {
        type: 'expired',
        realmId: 'test',
        sessionId: sessions[0].id,
        offline: false,
        userId: 'user1',
        clientIds: ended?.clientIds,
        at: clock.now(),
      })
      assert.equal(await provider.count('test'), 1)
      assert.equal(await provider.count('test', { offline: true }), 1)
      assert.equal(provider.stats().swept, 2)
      clock.advance(40 * DAY)
      assert.equal(await provider.sweep(), 2)
      assert.deepEqual(
        expired
          .slice(2)
          .map(({ offline }) => offline)
          .sort(),
        [false, true],
      )
    },
  )

  add.expiry('sweep: none, half a batch, one and two', 'A4/66', async ({ provider, clock }) => {
    for (const [round, n] of [0, 50, 100, 200, 350].entries()) {
      const realmId = `realm ${round}`
      for (let i = 0; i < n; i++)
        await provider.create(realmId, login('user1', { client: { clientId: 'app' } })).then(createdSession)
      const living = await provider.create(realmId, login('user2', { rememberMe: true })).then(createdSession)
      clock.advance(IDLE_MS / 2)
      await provider.refresh(realmId, living.id)
      clock.advance(IDLE_MS / 2)
      let heard = 0
      const off = provider.on('expired', (event) => {
        if (event.realmId === realmId) heard += 1
      })
      await provider.sweep()
      off()
      assert.equal(heard, n)
      assert.deepEqual(ids((await provider.list(realmId)).items), [living.id])
    }
  })

  add.concurrency(
    'sweep: on every node at once, each session is told of once',
    'issue: leased',
    async ({ provider, anotherNode, clock }) => {
      const nodes = [provider, await anotherNode(), await anotherNode()]
      // In a store of one process every node hears of the same event.
      const heard = new Set<UserSessionEvent>()
      const offs = nodes.map((node) => node.on('expired', (event) => heard.add(event)))
      const created = await Promise.all(
        Array.from({ length: 300 }, (_, n) =>
          provider.create('test', login(`user${n % 20}`)).then(createdSession),
        ),
      )
      clock.advance(IDLE_MS)
      await Promise.all(nodes.map((node) => node.sweep()))
      await provider.sweep()
      assert.deepEqual(Array.from(heard, ({ sessionId }) => sessionId).sort(), ids(created))
      for (const off of offs) off()
    },
  )

  add.expiry(
    'sweep: a session that was used half a minute after its beginning stays half a minute longer',
    'issue',
    async ({ provider, clock }) => {
      for (const listens of [false, true]) {
        const off = listens ? provider.on('expired', () => {}) : () => {}
        const { id } = await provider.create('test', login()).then(createdSession)
        clock.advance(MINUTE / 2)
        await provider.touch('test', id)
        clock.advance(IDLE_MS - MINUTE / 4)
        assert.equal(await provider.sweep(), 0)
        assert.ok(await provider.get('test', id))
        clock.advance(MINUTE / 4)
        assert.equal(await provider.sweep(), 1)
        off()
      }
    },
  )

  add.expiry('sweep: a session that is refreshed meanwhile stays', 'issue', async ({ provider, clock }) => {
    const { id } = await provider.create('test', login()).then(createdSession)
    for (let n = 0; n < 50; n++) {
      clock.advance(MINUTE / 2)
      await Promise.all([provider.sweep(), provider.touch('test', id)])
    }
    assert.ok(await provider.get('test', id))
    assert.equal(await provider.count('test'), 1)
  })
}
