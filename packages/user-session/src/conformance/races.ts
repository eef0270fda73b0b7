import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { UserSessionEvent, UserSessionProvider } from '../contract.js'
import { clientIds, createdSession, createS3, ids, login, RACERS, ROUNDS, sessionOf } from './fixture.js'

/** Several nodes on one store, and requests that cross. */
export function races(add: SuiteBuilder<UserSessionProvider>): void {
  add.concurrency(
    'create: four nodes, every node finds all',
    'A2/30, A2/31, A5/70, A5/81',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode(), await anotherNode(), await anotherNode()]
      const created = await Promise.all(
        nodes.map((node) => node.create('test', login()).then(createdSession)),
      )
      assert.equal(new Set(ids(created)).size, 4)
      for (const node of nodes) {
        for (const { id } of created) assert.ok(await node.get('test', id))
        assert.deepEqual(ids((await node.listByUser('test', 'user1')).items), ids(created))
      }
    },
  )

  add.concurrency(
    'putClientSession: 200 at once at 10 clients',
    'A2/32',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      const { id } = await provider.create('test', login()).then(createdSession)
      await together(200, (n) =>
        (nodes[n % 2] ?? provider)
          .putClientSession('test', id, {
            clientId: `c${n % 10}`,
            notes: { state: `state-${n}` },
          })
          .then(sessionOf),
      )
      const session = await provider.get('test', id)
      assert.equal(session?.clients.size, 10)
      for (const [clientId, { notes }] of session?.clients ?? []) {
        assert.match(notes['state'] ?? '', /^state-\d+$/)
        assert.equal(await provider.countByClient('test', clientId), 1)
      }
    },
  )

  add.concurrency(
    'putClientSession: one session, 121 clients, four nodes',
    'A2/33, A2/34, A2/35',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode(), await anotherNode(), await anotherNode()]
      const users = await together(3, (n) =>
        provider.create('test', login(`user${n}`, { client: { clientId: 'first' } })).then(createdSession),
      )
      const single = users[0]?.id as string
      await together(120, (n) =>
        (nodes[n % 4] ?? provider).putClientSession('test', single, { clientId: `c${n}` }).then(sessionOf),
      )
      assert.equal((await provider.get('test', single))?.clients.size, 121)
      await together(20, (n) =>
        (nodes[n % 4] ?? provider).putClientSession('test', single, { clientId: 'same' }).then(sessionOf),
      )
      assert.equal((await provider.get('test', single))?.clients.size, 122)
      await together(80, (n) =>
        (nodes[n % 4] ?? provider)
          .putClientSession('test', users[1 + (n % 2)]?.id as string, {
            clientId: `d${n}`,
          })
          .then(sessionOf),
      )
      for (const index of [1, 2])
        assert.equal((await provider.get('test', users[index]?.id as string))?.clients.size, 41)
      assert.equal((await provider.clientStats('test')).size, 1 + 121 + 80)
    },
  )

  add.concurrency(
    'update: patches of different notes all last',
    'A2/32, peers 12',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      const [s0] = await createS3(provider)
      await together(60, (n) => {
        const node = nodes[n % 2] ?? provider
        const notes = { [`n${n}`]: String(n) }
        if (n % 3 === 0) return node.update('test', s0.id, { notes })
        if (n % 3 === 1) return node.updateClientSession('test', s0.id, { clientId: 'test-app', notes })
        return node.refresh('test', s0.id, { clientId: 'third-party' })
      })
      const session = await provider.get('test', s0.id)
      assert.equal(Object.keys(session?.notes ?? {}).length, 20)
      assert.equal(Object.keys(session?.clients.get('test-app')?.notes ?? {}).length, 20 + 1)
    },
  )

  add.concurrency(
    'remove: whatever crosses it, nothing is left',
    'A6/83, A6/85, peers 1, peers 8',
    async ({ provider, anotherNode, clock }) => {
      const other = await anotherNode()
      for (let round = 0; round < ROUNDS; round++) {
        clock.advance(1)
        const { id } = await provider
          .create(
            'test',
            login('user1', { brokerSessionId: 'b', brokerUserId: 'i.b', client: { clientId: 'app' } }),
          )
          .then(createdSession)
        const scope = { clientId: 'app' }
        const verbs: (() => Promise<unknown>)[] = [
          () => other.refresh('test', id, scope),
          () => provider.touch('test', id),
          () => other.update('test', id, { notes: { a: '1' }, state: 'LOGGING_OUT' }),
          () => provider.putClientSession('test', id, { clientId: 'app2' }).then(sessionOf),
          () => other.updateClientSession('test', id, { ...scope, action: 'x' }),
          () =>
            provider.restart('test', id, login('user1', { client: { clientId: 'app3' } })).then(sessionOf),
          () => other.removeClientSession('test', id, 'app', { endWhenLast: round % 3 === 0 }),
          () => provider.recompute('test'),
        ]
        const at = round % verbs.length
        await Promise.all(
          [...verbs.slice(at), () => provider.remove('test', id), ...verbs.slice(0, at)].map((verb) =>
            verb(),
          ),
        )
        assert.equal(await provider.get('test', id), undefined)
        assert.equal(await other.refresh('test', id), undefined)
        assert.deepEqual((await provider.listByUser('test', 'user1')).items, [])
        assert.deepEqual(await provider.clientStats('test'), new Map())
        assert.equal(await provider.findByBrokerSession('test', 'b'), undefined)
        assert.equal(await provider.count('test'), 0)
      }
    },
  )

  add.concurrency('remove: exactly one of many', '§3.2', async ({ provider, anotherNode }) => {
    const nodes = [provider, await anotherNode()]
    // In a store of one process every node hears of the same event.
    const heard = new Set<UserSessionEvent>()
    for (const node of nodes) node.on('removed', (event) => heard.add(event))
    for (let round = 0; round < 10; round++) {
      const { id } = await provider.create('test', login()).then(createdSession)
      const removed = await together(RACERS, (n) => (nodes[n % 2] ?? provider).remove('test', id))
      assert.equal(removed.filter(Boolean).length, 1)
    }
    assert.equal(heard.size, 10)
  })

  add.concurrency(
    'removeByUser: sessions made by four nodes',
    'A4/62, A1/23',
    async ({ provider, anotherNode, clock }) => {
      const nodes = [provider, await anotherNode(), await anotherNode(), await anotherNode()]
      for (const node of nodes) {
        for (let n = 0; n < 5; n++) {
          const { id } = await node
            .create('test', login('user1', { client: { clientId: 'app' } }))
            .then(createdSession)
          await node.createOffline('test', id).then(sessionOf)
        }
      }
      clock.advance(1)
      assert.equal(await nodes[2]?.removeByUser('test', 'user1'), 20)
      assert.equal(await nodes[3]?.removeByUser('test', 'user1', { offline: true }), 20)
      for (const node of nodes) {
        for (const offline of [false, true]) {
          assert.deepEqual((await node.listByUser('test', 'user1', { offline })).items, [])
          assert.equal(await node.countByClient('test', 'app', { offline }), 0)
        }
      }
    },
  )

  add.concurrency(
    'client sessions of offline sessions: attached by any node, all there',
    'A5/73, A5/74, A5/78',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode(), await anotherNode()]
      const created = await together(10, (n) =>
        (nodes[n % 3] ?? provider)
          .create('test', login(`user${n}`, { client: { clientId: 'c0' } }))
          .then(createdSession),
      )
      await together(10, (n) =>
        (nodes[(n + 1) % 3] ?? provider).createOffline('test', created[n]?.id as string).then(sessionOf),
      )
      await together(40, (n) =>
        (nodes[(n * 7) % 3] ?? provider)
          .putClientSession(
            'test',
            created[n % 10]?.id as string,
            { clientId: `c${1 + Math.floor(n / 10)}` },
            { offline: true },
          )
          .then(sessionOf),
      )
      for (const node of nodes) {
        const found = await node.list('test', { offline: true, limit: 100 })
        assert.equal(found.items.length, 10)
        for (const session of found.items)
          assert.deepEqual(clientIds(session), ['c0', 'c1', 'c2', 'c3', 'c4'])
      }
    },
  )
}
