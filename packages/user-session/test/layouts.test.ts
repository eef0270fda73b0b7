// Sessions that an earlier version has written, as text in fixtures/layout-1.json, and what becomes of them.

import { readFileSync } from 'node:fs'
import { FakeClock, openInspector } from '@authstate/conformance'
import { connect, type RedisConnection } from '@authstate/redis'
import { StoreUnavailableError } from '@authstate/spi'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, redis, serverBinary } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import type { UserSession, UserSessionEvent, UserSessionProvider } from '../src/index.js'
import { versions } from '../src/redis/versions.js'
import { join, share } from '../src/scripts.js'
import { openNode } from './support.js'

type Key = string | (string | number)[] | Record<string, string>
type Plain = Omit<UserSession, 'clients'> & { readonly clients: Readonly<Record<string, unknown>> }

const fixture = JSON.parse(readFileSync(new URL('fixtures/layout-1.json', import.meta.url), 'utf8')) as {
  readonly now: number
  readonly sessions: Readonly<Record<'online' | 'offline' | 'bare', Plain>>
  readonly keys: Readonly<Record<string, Key>>
}
const { id, userId } = fixture.sessions.online
const SESSION = /:[uo]s:/
const offline = { offline: true } as const
const login = { userId, loginUsername: 'alice@example.com' }
const rotation = { clientId: 'web shop', family: 'f', issuedAt: fixture.now, maxReuse: 0 }

const plain = (session: UserSession | undefined) =>
  session && { ...session, clients: Object.fromEntries(session.clients) }

/** Writes the fixture under a prefix, in a deployment of some layout. */
async function restore(client: Redis, prefix: string, layout: 1 | 2): Promise<void> {
  for (const [name, value] of Object.entries(fixture.keys)) {
    const key = `${prefix}:${name}`
    if (typeof value === 'string') await client.set(key, value)
    else if (!Array.isArray(value)) await client.hset(key, value)
    else
      for (let at = 0; at < value.length; at += 2)
        await client.zadd(key, value[at + 1] ?? 0, String(value[at]))
    if (name !== 'layout') await client.expire(key, 600)
  }
  await client.hset(`${prefix}:layout`, { _v: layout })
}

/** Records by their keys, without what differs between two runs, and scores of the indexes. */
async function stored(client: Redis, prefix: string) {
  const inspector = await openInspector(client)
  const records = new Map<string, Readonly<Record<string, string>>>()
  const indexes = new Map<string, ReadonlyMap<string, number>>()
  for (const key of (await inspector.keys(prefix)).sort()) {
    const name = key.slice(prefix.length)
    const { type, members } = await inspector.read(key)
    if (type === 'zset') indexes.set(name, members)
    if (!SESSION.test(name)) continue
    const { b: _, ...fields } = await inspector.hash(key)
    records.set(name, fields)
  }
  return { records, indexes }
}

/** Verbs by their names, and the records that a verb of the layout of now writes in that. */
const CHANGES: Readonly<
  Record<string, readonly [run: (node: UserSessionProvider) => Promise<unknown>, changed: RegExp]>
> = {
  touch: [(node) => node.touch('acme', id), /us:.*8ERJ/],
  'touch at a client': [(node) => node.touch('acme', id, { clientId: 'web shop' }), /us:.*8ERJ/],
  'touch of an offline one': [(node) => node.touch('acme', id, offline), /os:/],
  refresh: [(node) => node.refresh('acme', id), /us:.*8ERJ/],
  'refresh at a client': [(node) => node.refresh('acme', id, { clientId: 'app:{1}' }), /us:.*8ERJ/],
  'touch of one without clients': [(node) => node.touch('acme', fixture.sessions.bare.id), /1BUg/],
  update: [(node) => node.update('acme', id, { state: 'LOGGING_OUT', notes: { acr: null } }), /us:.*8ERJ/],
  restart: [(node) => node.restart('acme', id, { ...login, client: { clientId: 'other' } }), /us:.*8ERJ/],
  'restart without a client': [(node) => node.restart('acme', id, login), /us:.*8ERJ/],
  'putClientSession of a known one': [
    (node) => node.putClientSession('acme', id, { clientId: 'web shop', notes: { other: '1' } }),
    /us:.*8ERJ/,
  ],
  'putClientSession of a new one': [
    (node) => node.putClientSession('acme', id, { clientId: 'new' }),
    /us:.*8ERJ/,
  ],
  updateClientSession: [
    (node) =>
      node.updateClientSession('acme', id, { clientId: 'web shop', action: null, notes: { more: '{' } }),
    /us:.*8ERJ/,
  ],
  removeClientSession: [(node) => node.removeClientSession('acme', id, 'web shop'), /never/],
  createOffline: [(node) => node.createOffline('acme', id), /8ERJ/],
  'createOffline of one without clients': [
    (node) => node.createOffline('acme', fixture.sessions.bare.id),
    /1BUg/,
  ],
  rotateRefreshToken: [
    (node) => node.rotateRefreshToken('acme', id, { ...rotation, presented: 'T2', next: 'T3' }),
    /us:.*8ERJ/,
  ],
  'rotateRefreshToken of a replay': [
    (node) => node.rotateRefreshToken('acme', id, { ...rotation, presented: 'T0', next: 'T3', issuedAt: 1 }),
    /us:.*8ERJ/,
  ],
  recompute: [(node) => node.recompute('acme'), /never/],
  remove: [(node) => node.remove('acme', id), /never/],
  removeByUser: [(node) => node.removeByUser('acme', userId), /never/],
  removeByClient: [(node) => node.removeByClient('acme', 'web shop'), /never/],
  removeByBrokerSession: [(node) => node.removeByBrokerSession('acme', '6f1c'), /never/],
  removeByRealm: [(node) => node.removeByRealm('acme'), /never/],
}

describeWith(redis, 'sessions that layout 1 has written', () => {
  const client = openRedis()
  const prefixes: string[] = []
  afterEach(async () => {
    const inspector = await openInspector(client)
    for (const prefix of prefixes.splice(0)) await inspector.clear(prefix)
  })
  afterAll(() => client.disconnect())

  async function open(layout: 1 | 2) {
    const prefix = `user-session-layouts-${process.pid}-${prefixes.length}`
    prefixes.push(prefix)
    await restore(client, prefix, layout)
    const clock = new FakeClock(fixture.now)
    return { prefix, clock, node: await openNode({ client, prefix, clock, partitions: 4 }) }
  }

  test.each([1, 2] as const)(
    'are read, listed and counted while layout %d is written, and stay as they are',
    async (layout) => {
      const { prefix, node } = await open(layout)
      await using _ = node
      const { online, offline: twin, bare } = fixture.sessions
      const before = await stored(client, prefix)
      expect(plain(await node.get('acme', id))).toEqual(online)
      expect(plain(await node.get('acme', id, offline))).toEqual(twin)
      expect(plain(await node.get('acme', bare.id))).toEqual(bare)
      const atClient = plain(await node.get('acme', id, { clientId: 'app:{1}' }))
      expect(atClient).toEqual({ ...online, clients: { 'app:{1}': online.clients['app:{1}'] } })
      const listed = async (page: Promise<{ readonly items: readonly UserSession[] }>) =>
        (await page).items.map(plain)
      expect(await listed(node.listByUser('acme', userId))).toEqual([online])
      expect(await listed(node.listByClient('acme', 'app:{1}'))).toEqual([online])
      expect(await listed(node.listByBrokerUser('acme', 'idp.42', offline))).toEqual([twin])
      expect(await listed(node.list('acme'))).toEqual([bare, online])
      expect(plain(await node.findByBrokerSession('acme', '6f1c'))).toEqual(online)
      expect([await node.count('acme'), await node.countByClient('acme', 'web shop', offline)]).toEqual([
        2, 1,
      ])
      expect(Object.fromEntries(await node.clientStats('acme'))).toEqual({ 'app:{1}': 1, 'web shop': 1 })
      expect(await stored(client, prefix)).toEqual(before)
      expect(node.stats().unreadable).toBe(0)
    },
  )

  test.each(Object.entries(CHANGES))(
    '%s: the same in both layouts, and in layout 2 the record is of that afterwards',
    async (_, [run, changed]) => {
      const [first, second] = [await open(1), await open(2)]
      const results = []
      for (const { node, clock, prefix } of [first, second]) {
        // Far enough for the indexes to follow.
        clock.advance(600_000)
        const answer = await run(node)
        const sessions = [await node.get('acme', id), await node.get('acme', id, offline)].map(plain)
        results.push({ answer: await answer, sessions, ...(await stored(client, prefix)) })
        expect(node.stats().unreadable).toBe(0)
        await node[Symbol.asyncDispose]()
      }
      const [one, two] = results
      expect(two?.answer).toEqual(one?.answer)
      expect(two?.sessions).toEqual(one?.sessions)
      expect(two?.indexes).toEqual(one?.indexes)
      expect([...(two?.records.keys() ?? [])]).toEqual([...(one?.records.keys() ?? [])])
      for (const [key, fields] of two?.records ?? []) {
        const ofOne = Object.values(one?.records.get(key) ?? {})
        expect(
          ofOne.some((value) => value.startsWith('v1 ')),
          key,
        ).toBe(true)
        expect(fields['t']?.startsWith(changed.test(key) ? 'v2 ' : 'v1 '), key).toBe(true)
        const now = versions.upcast(Object.values(fields)) ?? []
        expect([...now].sort()).toEqual([...(versions.upcast(ofOne) ?? [])].sort())
        if (!changed.test(key)) continue
        expect(fields['d']).toMatch(/^{.*}$/)
        for (const name of Object.keys(fields).filter((field) => field.startsWith('c:')))
          expect([fields[name], fields[name.replace('c:', 'a:')]]).toEqual([
            expect.stringMatching(/^c \d+ \d+ \d+ \d+ [^{]+$/),
            expect.stringMatching(/^a [^{]+ {.*}$/),
          ])
      }
    },
  )

  test('what is of layout 2 stays so at a node that does not write that yet', async () => {
    const { prefix, clock, node } = await open(2)
    for (const options of [{}, offline]) await node.touch('acme', id, options)
    await node[Symbol.asyncDispose]()
    await client.hset(`${prefix}:layout`, { _v: 1 })
    await using behind = await openNode({ client, prefix, clock, partitions: 4 })
    await behind.putClientSession('acme', id, { clientId: 'new', notes: { a: '1' } })
    await behind.updateClientSession('acme', id, { clientId: 'web shop', notes: { state: null } })
    await behind.createOffline('acme', id, { clientIds: ['new'] })
    clock.advance(600_000)
    const refreshed = await behind.refresh('acme', id, { clientId: 'new' })
    expect(refreshed?.clients.get('new')).toMatchObject({ lastRefreshAt: clock.now(), notes: { a: '1' } })
    const versionsOf = [...(await stored(client, prefix)).records.entries()].map(([key, { t }]) => [
      key.slice(6, 8),
      t?.slice(0, 3),
    ])
    expect(new Set(versionsOf.map(String))).toEqual(new Set(['us,v1 ', 'us,v2 ', 'os,v2 ']))
    expect((await behind.get('acme', id))?.clients.get('web shop')?.notes).toEqual({})
    expect(await behind.restart('acme', id, login)).toMatchObject({ outcome: 'done' })
    expect((await behind.get('acme', id))?.brokerSessionId).toBe(undefined)
  })

  test('their end is told with all that they were, and nothing is left', async () => {
    const { prefix, clock, node } = await open(2)
    await using _ = node
    const heard: UserSessionEvent[] = []
    node.on('expired', (event) => heard.push(event), { notes: true })
    clock.advance(40 * 86_400_000)
    expect(await node.sweep()).toBe(3)
    expect(heard.find((event) => event.sessionId === id && !event.offline)).toMatchObject({
      userId,
      clientIds: expect.arrayContaining(['web shop', 'app:{1}']),
      notes: fixture.sessions.online.notes,
    })
    await node.sweep()
    expect((await stored(client, prefix)).records.size).toBe(0)
  })

  test('sites say the same of both, and what one knows is written as its own deployment writes', async () => {
    const at = fixture.now
    const states: string[] = []
    const key = Object.keys(fixture.keys).find((name) => /:us:.*8ERJ/.test(name)) ?? ''
    for (const layout of [1, 2] as const) {
      const { prefix, node } = await open(layout)
      await node.update('acme', id, { notes: { one: '1' } })
      await node[Symbol.asyncDispose]()
      await using connection = await opened(prefix)
      const args = { now: at, site: 'oslo', at, removed: 0, endsMs: 60_000, touch: '' }
      states.push((await connection.run(share, { session: `${prefix}:${key}` }, args)) ?? '')
    }
    const [one = '', two = ''] = states
    expect(JSON.parse(two)).toEqual(JSON.parse(one))
    for (const layout of [1, 2] as const) {
      const { prefix, node } = await open(layout)
      await using _ = node
      const session = `${prefix}:${key}`
      await using connection = await opened(prefix)
      const args = { now: at, site: 'lisbon', state: one, endsMs: 60_000, aheadMs: 0, layout }
      // One record is there in layout 1, and stays in that; the other is new.
      expect(await connection.run(join, { session }, args)).toEqual({ outcome: 'changed' })
      expect(await client.hget(session, 't')).toMatch(/^v1 /)
      await client.unlink(session, session.replace(':us:', ':xs:us:'))
      expect(await connection.run(join, { session }, args)).toEqual({ outcome: 'changed' })
      expect(await client.hget(session, 't')).toMatch(
        layout === 1 ? /^v1 / : /^v2 .* älice%3a 7:6f1c:idp.42$/,
      )
      expect(plain(await node.get('acme', id))?.clients).toEqual(fixture.sessions.online.clients)
      expect(await connection.run(join, { session }, args)).toEqual({ outcome: 'same' })
    }
  })

  async function opened(prefix: string): Promise<RedisConnection & AsyncDisposable> {
    const connection = await connect({ client, prefix, partitions: 4 })
    return Object.assign(connection, { [Symbol.asyncDispose]: () => connection.close() })
  }
})

describeWith(serverBinary, 'sessions of layout 1 on a full server that writes layout 2', () => {
  let server: Topology
  let client: Redis
  beforeAll(async () => {
    server = await start('single')
    client = new Redis(server.basePort, '127.0.0.1', { autoResendUnfulfilledCommands: false })
  })
  afterAll(async () => {
    client.disconnect()
    await server.stop()
  })

  test('are used as they are, and what may grow is refused', async () => {
    await restore(client, 'full', 2)
    const clock = new FakeClock(fixture.now)
    await using node = await openNode({ client, prefix: 'full', clock, partitions: 4 })
    const [key = ''] = (await client.keys('full:*:us:*')).filter((name) => name.includes('8ERJ'))
    await client.config('SET', 'maxmemory', 1)
    try {
      clock.advance(1_000)
      expect(
        await node.rotateRefreshToken('acme', id, { ...rotation, presented: 'T2', next: 'T3' }),
      ).toMatchObject({ outcome: 'rotated' })
      const before = await client.hgetall(key)
      expect(before['t']).toMatch(/^v1 /)
      const refused = node.update('acme', id, { notes: { more: '1' } })
      await expect(refused).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'no' })
      await expect(refused).rejects.toBeInstanceOf(StoreUnavailableError)
      expect(await client.hgetall(key)).toEqual(before)
      for (const options of [{}, { clientId: 'web shop' }])
        expect(await node.touch('acme', id, options)).toMatchObject({ lastRefreshAt: clock.now() })
    } finally {
      await client.config('SET', 'maxmemory', 0)
    }
    await node.touch('acme', id)
    expect(await client.hget(key, 't')).toMatch(/^v2 /)
  })
})
