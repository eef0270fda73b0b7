import { FakeClock, openInspector } from '@authstate/conformance'
import type { Script } from '@authstate/redis'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { createdSession, sessionOf } from '../src/conformance/fixture.js'
import type { UserSession, UserSessionProvider } from '../src/index.js'
import * as scripts from '../src/scripts.js'
import { bytesOf, countingClient, openNode } from './support.js'

const PARTITIONS = 16

describeWith(redis, 'commands of user-session', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  // As long as the default one, for the bytes, and of this file alone.
  const prefix = `c${String(process.pid).padStart(8, '0')}`.slice(0, 9)
  let node: UserSessionProvider & AsyncDisposable
  let counting: ReturnType<typeof countingClient>
  let clock: FakeClock
  let session: UserSession

  // Together a session of 1.8 KB of JSON, as it was measured when the model was chosen.
  const notes = (n: number) =>
    Object.fromEntries(Array.from({ length: n }, (_, i) => [`note-${i}`, 'v'.repeat(27)]))
  const clientOf = (n: number) => ({
    clientId: `0f8fad5b-d9cb-469f-a165-70867728950${n}`,
    protocol: 'openid-connect',
    redirectUri: 'https://app.example.org/callback',
    notes: notes(5),
  })
  const login = (userId = '7c9e6679-7425-40de-944b-e07fc1f90ae7') => ({
    userId,
    loginUsername: 'alice@example.org',
    ipAddress: '192.0.2.77',
    authMethod: 'openid-connect',
    notes: notes(6),
  })

  beforeEach(async () => {
    counting = countingClient(client)
    clock = new FakeClock()
    node = await openNode({ client: counting.client, prefix, clock })
    session = await node.create('realm', { ...login(), client: clientOf(0) }).then(createdSession)
    await node.putClientSession('realm', session.id, clientOf(1)).then(sessionOf)
    session = (await node.putClientSession('realm', session.id, clientOf(2)).then(sessionOf)) as UserSession
    // Every source is known to the server before commands are counted.
    for (const call of verbs()) await call()
    session = await node.create('realm', { ...login(), client: clientOf(0) }).then(createdSession)
    counting.sent.length = 0
  })
  afterEach(async () => {
    await node[Symbol.asyncDispose]()
    await (await openInspector(client)).clear(prefix)
  })

  const clientId = clientOf(0).clientId
  const presentation = {
    family: 'f',
    presented: 'a',
    next: 'b',
    issuedAt: 1_800_000_000_000,
    maxReuse: 0,
  }
  const rotation = { ...presentation, clientId }
  const onOneSession: Record<string, (id: string) => Promise<unknown>> = {
    create: () =>
      node
        .create('realm', { ...login(), brokerSessionId: 'b', brokerUserId: 'i', client: clientOf(0) })
        .then(createdSession),
    get: (id) => node.get('realm', id),
    'get for a client': (id) => node.get('realm', id, { clientId }),
    touch: (id) => node.touch('realm', id),
    refresh: (id) => node.refresh('realm', id),
    'refresh for a client': (id) => node.refresh('realm', id, { clientId }),
    update: (id) => node.update('realm', id, { state: 'LOGGED_IN', notes: { a: 'b' } }),
    putClientSession: (id) => node.putClientSession('realm', id, clientOf(3)).then(sessionOf),
    updateClientSession: (id) => node.updateClientSession('realm', id, { clientId, notes: { a: 'b' } }),
    rotateRefreshToken: (id) => node.rotateRefreshToken('realm', id, rotation),
    createOffline: (id) => node.createOffline('realm', id, { clientIds: [clientId] }).then(sessionOf),
    restart: (id) => node.restart('realm', id, { ...login(), client: clientOf(0) }).then(sessionOf),
    removeClientSession: (id) => node.removeClientSession('realm', id, clientId, { endWhenLast: true }),
    remove: (id) => node.remove('realm', id, { offline: true }),
    listByUser: () => node.listByUser('realm', login().userId),
    removeByUser: () => node.removeByUser('realm', login().userId),
    rotateTransientToken: () => node.rotateTransientToken('realm', { ...presentation, lifespanMs: 1_000 }),
  }
  const onTheRealm: Record<string, () => Promise<unknown>> = {
    listByClient: () => node.listByClient('realm', clientId),
    listByBrokerUser: () => node.listByBrokerUser('realm', 'i'),
    list: () => node.list('realm'),
    findByBrokerSession: () => node.findByBrokerSession('realm', 'b'),
    count: () => node.count('realm'),
    countByClient: () => node.countByClient('realm', clientId),
    clientStats: () => node.clientStats('realm'),
    removeByClient: () => node.removeByClient('realm', clientId),
  }
  const verbs = () => [
    ...Object.values(onOneSession).map((call) => () => call(session.id)),
    ...Object.values(onTheRealm),
    () => node.recompute('realm'),
    () => node.sweep(),
    () => node.removeByRealm('realm'),
  ]

  test.each(Object.keys(onOneSession))('%s is one command', async (verb) => {
    expect(await onOneSession[verb]?.(session.id)).not.toBe(undefined)
    expect(counting.sent).toHaveLength(1)
  })

  test.each(Object.keys(onTheRealm))('%s is one round trip, a command per partition', async (verb) => {
    for (let n = 0; n < 40; n++) {
      await node
        .create('realm', {
          ...login(`user ${n}`),
          brokerSessionId: 'b',
          brokerUserId: 'i',
          client: clientOf(n % 3),
        })
        .then(createdSession)
    }
    counting.sent.length = 0
    await onTheRealm[verb]?.()
    expect(counting.sent).toHaveLength(PARTITIONS)
    expect(new Set(counting.sent.map(({ trip }) => trip)).size).toBe(1)
  })

  test('removeByRealm is one round trip for both twins', async () => {
    await node.removeByRealm('realm')
    expect(counting.sent).toHaveLength(2 * PARTITIONS)
    expect(new Set(counting.sent.map(({ trip }) => trip)).size).toBe(1)
  })

  test('what listeners need is sent and answered only while somebody listens, in the same commands', async () => {
    const all = new Map<unknown, Script>(Object.values(scripts).map((script) => [script.sha1, script]))
    const run = async () => {
      counting.sent.length = 0
      const { id } = session
      for (const call of Object.values(onOneSession)) await call(id)
      for (const call of [...Object.values(onTheRealm), () => node.sweep()]) await call()
      session = await node.create('realm', { ...login(), client: clientOf(0) }).then(createdSession)
      return counting.sent
        .filter(
          ({ name, parameters }) => name === 'evalsha' && all.get(parameters[0])?.args.at(-1) !== 'evicted',
        )
        .map(({ parameters }) => {
          const { name, args, lastIsOptional = false } = all.get(parameters[0]) as Script
          const asked = parameters.length - 2 - Number(parameters[1]) - args.length
          const tell = args.at(-1) === 'tell' && !lastIsOptional ? parameters.at(-1) : undefined
          return { name, lastIsOptional, asked, tell }
        })
    }
    const quiet = await run()
    const optional = new Set(quiet.flatMap(({ name, lastIsOptional }) => (lastIsOptional ? [name] : [])))
    expect(optional.size).toBe(8)
    for (const { asked, lastIsOptional, tell } of quiet) {
      expect(asked).toBe(lastIsOptional ? -1 : 0)
      expect(tell ?? 0).toBe(0)
    }
    node.on('*', () => {}, { notes: true })
    const loud = await run()
    expect(loud.map(({ name }) => name)).toEqual(quiet.map(({ name }) => name))
    for (const { asked, tell } of loud) {
      expect(asked).toBe(0)
      expect(tell ?? 'notes').toBe('notes')
    }
  })

  test('an id that no node can have minted costs nothing', async () => {
    for (const id of ['x', `${session.id.slice(0, 22)}ff`]) {
      expect(await node.get('realm', id)).toBe(undefined)
      expect(await node.refresh('realm', id)).toBe(undefined)
      expect(await node.remove('realm', id)).toBe(false)
    }
    expect(counting.sent).toEqual([])
  })

  test('a touch sends a tenth of the session, a full one no more', async () => {
    const full = await node
      .putClientSession('realm', session.id, clientOf(1))
      .then(() => node.putClientSession('realm', session.id, clientOf(2)).then(sessionOf))
    const json = JSON.stringify({ ...full, clients: [...(full?.clients.values() ?? [])] }).length
    counting.sent.length = 0
    clock.advance(1)
    await node.touch('realm', session.id)
    clock.advance(600_000)
    await node.touch('realm', session.id)
    for (const command of counting.sent) expect(bytesOf(command) / json).toBeLessThanOrEqual(0.1)
    await node.refresh('realm', session.id, { clientId })
    expect(bytesOf(counting.sent.at(-1) as never) / json).toBeLessThanOrEqual(0.2)
  })

  test('a light touch leaves the indexes alone, a heavy one does not', async () => {
    const index = `${prefix}:{${session.id.slice(-2)}}:ur:realm`
    const inspector = await openInspector(client)
    const score = async () => (await inspector.read(index)).members.get(session.id)
    const first = await score()
    clock.advance(59_000)
    await node.touch('realm', session.id)
    expect(await score()).toBe(first)
    clock.advance(2_000)
    await node.touch('realm', session.id)
    expect(await score()).toBe(clock.now() + 1_800_000)
    inspector.close()
  })

  test('the memory of a session', async () => {
    const full = await node
      .putClientSession('realm', session.id, clientOf(1))
      .then(() => node.putClientSession('realm', session.id, clientOf(2)).then(sessionOf))
    const json = JSON.stringify({ ...full, clients: [...(full?.clients.values() ?? [])] }).length
    const used = await client.memory(
      'USAGE',
      `${prefix}:{${session.id.slice(-2)}}:us:realm:${session.id}`,
      'SAMPLES',
      0,
    )
    expect(Number(used) / json).toBeLessThanOrEqual(1.5)
  })
})
