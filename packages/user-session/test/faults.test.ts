import { FakeClock, faultyClient, openInspector, RecordingLogger } from '@authstate/conformance'
import { Noting, recordedAs, type Script } from '@authstate/redis'
import { StoreUnavailableError } from '@authstate/spi'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { createdSession, sessionOf } from '../src/conformance/fixture.js'
import type { UserSession, UserSessionEvent, UserSessionProvider } from '../src/index.js'
import * as scripts from '../src/scripts.js'
import { openNode } from './support.js'

const lost = new Error('Connection is closed.')
const readOnly = new Error("READONLY You can't write against a read only replica.")
const outOfMemory = new Error("OOM command not allowed when used memory > 'maxmemory'.")
const loading = new Error('LOADING Redis is loading the dataset in memory')
const IDLE_MS = 1_800_000
/** `redis.changes.maxNotes`, where it is left out. */
const MAX_NOTES = 100_000
/** `redis.partitions`, where it is left out. */
const PARTITIONS = 16
const login = { userId: 'alice', loginUsername: 'alice' }
const offline = { offline: true } as const

type Node = Awaited<ReturnType<typeof openNode>>
type AnyScript = Script<string, string, unknown>

/** A verb with what can be seen of it: `undone` before it, `done` once it was applied. */
interface Verb {
  readonly script: AnyScript
  readonly run: (node: UserSessionProvider, session: UserSession) => Promise<unknown>
  readonly look: (node: UserSessionProvider, session: UserSession) => Promise<unknown>
  readonly undone: unknown
  readonly done: unknown
  /** What a repetition answers after the first was applied, where that tells something. */
  readonly again?: unknown
  /** A repetition does something else. */
  readonly isOnce?: true
}

const presentation = {
  family: 'f',
  presented: 'T1',
  next: 'T2',
  issuedAt: 1_700_000_000_000,
  maxReuse: 0,
}
const rotation = { ...presentation, clientId: 'app' }
const verbs: Record<string, Verb> = {
  create: {
    script: scripts.create,
    isOnce: true,
    run: (node) => node.create('realm', login).then(createdSession),
    look: (node) => node.count('realm'),
    undone: 1,
    done: 2,
  },
  touch: {
    script: scripts.touch,
    run: (node, { id }) => node.touch('realm', id),
    look: async (node, { id }) => (await node.get('realm', id))?.lastRefreshAt,
    undone: 1_700_000_000_000,
    done: 1_700_000_001_000,
    again: { lastRefreshAt: 1_700_000_001_000, expiresAt: 1_700_000_001_000 + IDLE_MS },
  },
  refresh: {
    script: scripts.refresh,
    run: (node, { id }) => node.refresh('realm', id, { clientId: 'app' }),
    look: async (node, { id }) => (await node.get('realm', id))?.clients.get('app')?.lastRefreshAt,
    undone: 1_700_000_000_000,
    done: 1_700_000_001_000,
  },
  update: {
    script: scripts.update,
    run: (node, { id }) => node.update('realm', id, { notes: { a: '1' } }),
    look: async (node, { id }) => (await node.get('realm', id))?.notes,
    undone: {},
    done: { a: '1' },
  },
  restart: {
    script: scripts.restart,
    run: (node, { id }) => node.restart('realm', id, { ...login, ipAddress: '192.0.2.1' }).then(sessionOf),
    look: async (node, { id }) => (await node.get('realm', id))?.ipAddress,
    undone: undefined,
    done: '192.0.2.1',
  },
  remove: {
    script: scripts.remove,
    run: (node, { id }) => node.remove('realm', id),
    look: (node) => node.count('realm'),
    undone: 1,
    done: 0,
    again: false,
  },
  putClientSession: {
    script: scripts.putClient,
    run: (node, { id }) => node.putClientSession('realm', id, { clientId: 'other' }).then(sessionOf),
    look: (node) => node.countByClient('realm', 'other'),
    undone: 0,
    done: 1,
  },
  updateClientSession: {
    script: scripts.updateClient,
    run: (node, { id }) => node.updateClientSession('realm', id, { clientId: 'app', action: 'x' }),
    look: async (node, { id }) => (await node.get('realm', id))?.clients.get('app')?.action,
    undone: undefined,
    done: 'x',
  },
  removeClientSession: {
    script: scripts.removeClient,
    run: (node, { id }) => node.removeClientSession('realm', id, 'app'),
    look: (node) => node.countByClient('realm', 'app'),
    undone: 1,
    done: 0,
    again: false,
  },
  createOffline: {
    script: scripts.createOffline,
    run: (node, { id }) => node.createOffline('realm', id, { clientIds: ['app'] }).then(sessionOf),
    look: (node) => node.countByClient('realm', 'app', offline),
    undone: 0,
    done: 1,
  },
  rotateRefreshToken: {
    script: scripts.rotate,
    isOnce: true,
    run: (node, { id }) =>
      node.rotateRefreshToken('realm', id, { ...rotation, attempt: 'a', graceMs: 1_000 }),
    look: async (node, { id }) =>
      (await node.rotateRefreshToken('realm', id, { ...rotation, presented: 'T2', next: 'T3', issuedAt: 0 }))
        .outcome,
    undone: 'stale',
    done: 'rotated',
  },
  rotateTransientToken: {
    script: scripts.rotateTransient,
    isOnce: true,
    run: (node) => node.rotateTransientToken('realm', { ...presentation, lifespanMs: 60_000 }),
    look: async (node) =>
      (await node.rotateTransientToken('realm', { ...presentation, next: 'T9', lifespanMs: 60_000 })).outcome,
    undone: 'rotated',
    done: 'reused',
  },
  removeByUser: {
    script: scripts.endAll,
    run: (node) => node.removeByUser('realm', 'alice'),
    look: (node) => node.count('realm'),
    undone: 1,
    done: 0,
    again: 0,
  },
}

describeWith(redis, 'user-session faults', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  let prefix: string
  let logger: RecordingLogger
  let clock: FakeClock
  let healthy: Node
  let session: UserSession
  const opened: Node[] = []
  const open = async (options: Partial<Parameters<typeof openNode>[0]> = {}) => {
    const node = await openNode({ client, prefix, clock, logger, ...options })
    opened.push(node)
    return node
  }
  /** A start that is too slow for its deadline is tried again: it is not what is tested. */
  const openInTime = async (options: Parameters<typeof open>[0]): Promise<Node> => {
    try {
      return await open(options)
    } catch (error) {
      if (error instanceof StoreUnavailableError) return openInTime(options)
      throw error
    }
  }
  const keyOf = (id: string) => `${prefix}:{${id.slice(-2)}}:us:realm:${id}`

  beforeEach(async (context) => {
    prefix = `faults-${process.pid}-${context.task.id}`
    logger = new RecordingLogger()
    clock = new FakeClock()
    healthy = await open()
    session = await healthy.create('realm', { ...login, client: { clientId: 'app' } }).then(createdSession)
    clock.advance(1_000)
  })
  afterEach(async () => {
    for (const item of opened.splice(0)) await item[Symbol.asyncDispose]()
    await (await openInspector(client)).clear(prefix)
  })

  describe.each(Object.entries(verbs))('%s', (_, verb) => {
    test.each([
      ['refused by a replica after a failover', readOnly, 'no'],
      ['refused for want of memory', outOfMemory, 'no'],
      ['refused while Redis loads its data', loading, 'no'],
      ['lost before it was sent', lost, 'unknown'],
    ] as const)('%s: nothing is written', async (_name, error, applied) => {
      const faulty = faultyClient(client)
      const node = await open({ client: faulty.client })
      faulty.arm(verb.script, { when: 'before', error })
      await expect(verb.run(node, session)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied })
      expect(await verb.look(healthy, session)).toEqual(verb.undone)
    })

    test('applied, and its reply lost: the caller is told that it may be; a repetition is safe', async () => {
      const faulty = faultyClient(client)
      const node = await open({ client: faulty.client })
      faulty.arm(verb.script, { when: 'after', error: lost })
      await expect(verb.run(node, session)).rejects.toMatchObject({
        code: 'ERR_STORE_UNAVAILABLE',
        applied: 'unknown',
      })
      if (!verb.isOnce) {
        const again = await verb.run(node, session)
        if (verb.again !== undefined) expect(again).toEqual(verb.again)
      }
      expect(await verb.look(healthy, session)).toEqual(verb.done)
    })

    test('no answer: an error within the deadline', async () => {
      const faulty = faultyClient(client)
      const node = await openInTime({ client: faulty.client, commandTimeoutMs: 50 })
      faulty.arm(verb.script, { when: 'drop' })
      await expect(verb.run(node, session)).rejects.toMatchObject({
        applied: 'unknown',
        message: `${verb.script.name}: Redis gave no answer within 50 ms`,
      })
      expect(await verb.look(healthy, session)).toEqual(verb.done)
    })

    test('a flushed script cache is filled again', async () => {
      await client.script('FLUSH')
      await verb.run(healthy, session)
      expect(await verb.look(healthy, session)).toEqual(verb.done)
    })
  })

  test('rotateRefreshToken: with an attempt a lost reply costs nobody the session', async () => {
    const faulty = faultyClient(client)
    const node = await open({ client: faulty.client })
    const presented = { ...rotation, attempt: 'request 1', graceMs: 10_000 }
    faulty.arm(scripts.rotate, { when: 'after', error: lost })
    await expect(node.rotateRefreshToken('realm', session.id, presented)).rejects.toMatchObject({
      applied: 'unknown',
    })
    expect(await node.rotateRefreshToken('realm', session.id, { ...presented, next: 'T3' })).toEqual({
      outcome: 'rotated',
      successor: 'T2',
    })
    expect(await node.rotateRefreshToken('realm', session.id, { ...presented, attempt: undefined })).toEqual({
      outcome: 'reused',
    })
  })

  test('a creation that arrives after the removal it began before is refused', async () => {
    const faulty = faultyClient(client)
    const node = await open({ client: faulty.client })
    for (const end of [() => healthy.removeByUser('realm', 'alice'), () => healthy.removeByRealm('realm')]) {
      let arrive = () => {}
      const until = new Promise<void>((resolve) => {
        arrive = resolve
      })
      faulty.arm(scripts.create, { when: 'delay', until })
      clock.advance(1)
      const late = node.create('realm', login)
      clock.advance(1)
      await end()
      arrive()
      expect(await late).toEqual({ outcome: 'refused', reason: 'ended' })
      expect(await healthy.count('realm')).toBe(0)
      clock.advance(1)
      expect((await node.create('realm', login)).outcome).toBe('created')
    }
  })

  test('an offline copy that arrives after the end of the offline sessions is not made', async () => {
    const faulty = faultyClient(client)
    const node = await open({ client: faulty.client })
    let arrive = () => {}
    faulty.arm(scripts.createOffline, {
      when: 'delay',
      until: new Promise<void>((resolve) => {
        arrive = resolve
      }),
    })
    const late = node.createOffline('realm', session.id).then(sessionOf)
    clock.advance(1)
    await healthy.removeByUser('realm', 'alice', offline)
    arrive()
    expect(await late).toBe(undefined)
    expect(await healthy.count('realm', offline)).toBe(0)
    expect(await healthy.createOffline('realm', session.id).then(sessionOf)).toMatchObject({ offline: true })
  })

  test('removeByRealm, lost in one partition: repeating it ends what is left', async () => {
    for (let n = 0; n < 60; n++)
      await healthy.create('realm', { ...login, userId: `user ${n}` }).then(createdSession)
    const faulty = faultyClient(client)
    const node = await open({ client: faulty.client })
    faulty.arm(scripts.endAll, { when: 'before', error: lost })
    await expect(node.removeByRealm('realm')).rejects.toMatchObject({ applied: 'unknown' })
    await node.removeByRealm('realm')
    expect(await healthy.count('realm')).toBe(0)
  })

  test('sweep: who dies after telling leaves the rest to the next, who tells again', async () => {
    for (let n = 0; n < 30; n++) await healthy.create('realm', login).then(createdSession)
    clock.advance(IDLE_MS)
    const faulty = faultyClient(client)
    const dying = await open({ client: faulty.client })
    const heard: UserSessionEvent[] = []
    dying.on('expired', (event) => {
      heard.push(event)
      faulty.arm(scripts.sweep, { when: 'before', error: lost })
    })
    await expect(dying.sweep()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(heard.length).toBeGreaterThan(0)
    expect(heard.length).toBeLessThan(31)
    const toldAgain: UserSessionEvent[] = []
    healthy.on('expired', (event) => toldAgain.push(event))
    expect(await healthy.sweep()).toBe(0)
    clock.advance(10_000)
    expect(await healthy.sweep()).toBe(31)
    const again = toldAgain.map(({ sessionId }) => sessionId)
    expect(new Set(again).size).toBe(31)
    expect(again).toHaveLength(31)
    expect(again).toEqual(expect.arrayContaining(heard.map(({ sessionId }) => sessionId)))
  })

  test('sweep: what another node has taken away meanwhile is neither counted nor noted again', async () => {
    clock.advance(IDLE_MS)
    const consumers = [{ name: 'audit', kinds: ['user-session'] }]
    const faulty = faultyClient(client)
    const [slow, other] = [await open({ client: faulty.client, consumers }), await open({ consumers })]
    const noted = new Noting(recordedAs(consumers), MAX_NOTES).script(scripts.sweep)
    const others: Promise<number>[] = []
    slow.on('expired', () => {
      // Its lease runs out.
      clock.advance(10_000)
      const another = other.sweep()
      others.push(another)
      faulty.arm(noted, { when: 'delay', until: another })
    })
    expect(await slow.sweep()).toBe(0)
    expect(await Promise.all(others)).toEqual([1])
    const notes = await client.xrange(`${keyOf(session.id).replace(/us:.*/, '')}xn`, '-', '+')
    expect(notes.map(([, [, what]]) => what)).toEqual([`rus:realm:${session.id}`])
  })

  test('sweep: without a listener, when an answer is lost, the rest is left to the next', async () => {
    for (let n = 0; n < 30; n++) await healthy.create('realm', login).then(createdSession)
    clock.advance(IDLE_MS)
    const faulty = faultyClient(client)
    const dying = await open({ client: faulty.client })
    faulty.arm(scripts.sweep, { when: 'after', error: lost })
    await expect(dying.sweep()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'unknown' })
    clock.advance(10_000)
    const left = await healthy.sweep()
    expect(left).toBeGreaterThan(0)
    expect(await healthy.sweep()).toBe(0)
    expect(await client.keys(`${prefix}:*:us:*`)).toEqual([])
  })

  test('sweep: a name that is no text, which nobody can be told of, does not keep it running', async () => {
    const head = keyOf(session.id).replace(/us:.*/, '')
    await client.zadd(`${head}ur:realm`, 0, Buffer.from([0xff, 0xfe]))
    await client.zadd(`${head}ux`, 0, 'u:realm')
    const heard: UserSessionEvent[] = []
    const listening = await open()
    listening.on('expired', (event) => heard.push(event))
    expect(await listening.sweep()).toBe(0)
    expect(heard).toHaveLength(1)
    expect(await healthy.get('realm', session.id)).toBeDefined()
  })

  test('sweep: tells of a session that Redis dropped first, with what is left to say', async () => {
    await client.del(keyOf(session.id))
    clock.advance(IDLE_MS)
    const heard: UserSessionEvent[] = []
    healthy.on('expired', (event) => heard.push(event))
    expect(await healthy.sweep()).toBe(1)
    expect(heard).toEqual([
      {
        type: 'expired',
        realmId: 'realm',
        sessionId: session.id,
        offline: false,
        clientIds: [],
        at: clock.now(),
      },
    ])
  })

  test('a foreign type under the key of a session is an error that says so, and stays', async () => {
    await client.del(keyOf(session.id))
    await client.set(keyOf(session.id), 'foreign')
    for (const call of [
      () => healthy.get('realm', session.id),
      () => healthy.get('realm', session.id, { clientId: 'app' }),
      () => healthy.touch('realm', session.id),
      () => healthy.refresh('realm', session.id),
      () => healthy.update('realm', session.id, { state: 'LOGGED_OUT' }),
      () => healthy.restart('realm', session.id, login).then(sessionOf),
      () => healthy.putClientSession('realm', session.id, { clientId: 'x' }).then(sessionOf),
      () => healthy.remove('realm', session.id),
      () => healthy.rotateRefreshToken('realm', session.id, rotation),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' })
    }
    expect(await client.get(keyOf(session.id))).toBe('foreign')
  })

  test.each([
    ['an unknown version', { t: 'v999 1700000000000 1700000000000 1800000000000 1800000000000' }],
    ['no JSON where JSON was', { d: 'not json' }],
    ['JSON that is cut off', { d: '{"l":"ali' }],
    ['JSON that is none, of nothing', { d: '{"l":}' }],
    ['a note encrypted with a key that is gone', { d: '{"l":"alice","n":{"a":["k9","xxxx"]}}' }],
    ['times that are none', { t: 'yesterday' }],
    ['times that are no numbers', { t: 'v2 a b c d alice::' }],
    ['no links where links were', { t: 'v2 1700000000000 1700000000000 1800000000000 1800000000000' }],
    ['an unknown state', { d: '{"l":"alice","s":"9"}' }],
  ])('%s: the session is absent, counted, logged once, and can still be ended', async (_, fields) => {
    await client.hset(keyOf(session.id), fields)
    for (let n = 0; n < 3; n++) expect(await healthy.get('realm', session.id)).toBe(undefined)
    expect((await healthy.listByUser('realm', 'alice')).items).toEqual([])
    expect(healthy.stats().unreadable).toBe(4)
    expect(logger.entries.filter(({ message }) => message.includes('cannot be read'))).toHaveLength(1)
    expect(await healthy.update('realm', session.id, { notes: { b: '1' } })).toBe(undefined)
    expect(await healthy.removeByUser('realm', 'alice')).toBe(1)
    expect(await client.exists(keyOf(session.id))).toBe(0)
    expect(await healthy.count('realm')).toBe(0)
  })

  test('behind sessions that cannot be read others are found, and a page is full of those that can', async () => {
    const clock = new FakeClock(1_699_999_999_000)
    const early = await openNode({ client, prefix, clock })
    const broker = { ...login, brokerSessionId: 'broker' }
    const unreadable = []
    for (let n = 0; n < 9; n++)
      unreadable.push(await early.create('realm', { ...broker, userId: `user ${n}` }).then(createdSession))
    const readable = await healthy.create('realm', broker).then(createdSession)
    for (const { id } of unreadable) await client.hset(keyOf(id), { d: 'not json' })
    expect((await healthy.findByBrokerSession('realm', 'broker'))?.id).toBe(readable.id)
    const page = await healthy.listByBrokerSession('realm', 'broker', { limit: 1 })
    expect(page.items.map(({ id }) => id)).toEqual([readable.id])
    expect(page.cursor).toBe(undefined)
    const both = await healthy.list('realm', { limit: 2 })
    expect(both.items).toHaveLength(2)
    await early[Symbol.asyncDispose]()
  })

  test('sessions from before they said when they began end by when they started', async () => {
    await client.hdel(keyOf(session.id), 'b')
    const odd = await healthy.create('realm', login).then(createdSession)
    await client.hset(keyOf(odd.id), { b: 'yesterday' })
    expect(await healthy.removeByUser('realm', 'alice')).toBe(2)
    const later = await healthy.create('realm', login).then(createdSession)
    await client.hdel(keyOf(later.id), 'b')
    await client.hset(keyOf(later.id), {
      t: ((await client.hget(keyOf(later.id), 't')) as string).replace(' 17000000', ' 17100000'),
    })
    expect(await healthy.removeByUser('realm', 'alice')).toBe(0)
    expect(await healthy.removeByRealm('realm')).toBe(0)
    expect(await healthy.remove('realm', later.id)).toBe(true)
  })

  test('a client session that cannot be read is absent, the others stay', async () => {
    await healthy.putClientSession('realm', session.id, { clientId: 'other' }).then(sessionOf)
    const text = (await client.hget(keyOf(session.id), 'a:app')) as string
    await client.hset(keyOf(session.id), { 'a:app': text.slice(0, text.indexOf('{') + 1) })
    const read = await healthy.get('realm', session.id)
    expect([...(read?.clients.keys() ?? [])]).toEqual(['other'])
    expect(await healthy.get('realm', session.id, { clientId: 'app' })).toBe(undefined)
    expect(await healthy.updateClientSession('realm', session.id, { clientId: 'app', action: 'x' })).toBe(
      undefined,
    )
    expect(healthy.stats().unreadable).toBeGreaterThan(0)
    expect(await healthy.removeClientSession('realm', session.id, 'app')).toBe(true)
  })

  test('nothing of a session is in a log or an error', async () => {
    const secrets = ['alice', session.id, 'secret-note', 'secret-token', 'realm']
    await client.hset(keyOf(session.id), { d: 'secret-note' })
    await healthy.get('realm', session.id)
    healthy.on('removed', () => {
      throw new Error('secret-note')
    })
    await healthy.remove('realm', session.id)
    const faulty = faultyClient(client)
    const node = await open({ client: faulty.client })
    const failures: unknown[] = []
    for (const error of [lost, readOnly, new Error(`ERR script failed on ${session.id} with secret-token`)]) {
      faulty.arm(scripts.rotate, { when: 'before', error })
      await node
        .rotateRefreshToken('realm', session.id, { ...rotation, presented: 'secret-token' })
        .catch((failure: unknown) => failures.push(failure))
    }
    expect(failures).toHaveLength(3)
    const said = JSON.stringify([logger.entries, failures.map((failure) => String(failure))])
    for (const secret of secrets) expect(said).not.toContain(secret)
  })

  describe('what was done in part is not called undone', () => {
    test.each([
      ['removeByClient', scripts.detachAll, (node: Node) => node.removeByClient('realm', 'app')],
      ['removeByRealm', scripts.endAll, (node: Node) => node.removeByRealm('realm')],
    ] as const)('%s, refused in one partition', async (_, script, run) => {
      for (let n = 0; n < 40; n++) {
        await healthy
          .create('realm', { userId: `u${n}`, loginUsername: 'x', client: { clientId: 'app' } })
          .then(createdSession)
      }
      const before = await healthy.countByClient('realm', 'app')
      const faulty = faultyClient(client)
      const node = await open({ client: faulty.client })
      faulty.arm(script, { when: 'before', error: readOnly })
      await expect(run(node)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'unknown' })
      const left = await healthy.countByClient('realm', 'app')
      expect(left).toBeLessThan(before)
      expect(left).toBeGreaterThan(0)
      await run(node)
      expect(await healthy.countByClient('realm', 'app')).toBe(0)
    })

    test('removeByUser, refused in its second step', async () => {
      for (let n = 0; n < 150; n++)
        await healthy.create('realm', { userId: 'many', loginUsername: 'x' }).then(createdSession)
      const faulty = faultyClient(client)
      const node = await open({ client: faulty.client })
      faulty.arm(scripts.endAll, { when: 'delay', until: Promise.resolve() })
      faulty.arm(scripts.endAll, { when: 'before', error: readOnly })
      const remove = () => node.removeByUser('realm', 'many')
      await expect(remove()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', applied: 'unknown' })
      const { items } = await healthy.listByUser('realm', 'many', { limit: 100 })
      expect(items.length).toBeGreaterThan(0)
      await remove()
      expect((await healthy.listByUser('realm', 'many')).items).toEqual([])
    })

    test('recompute, refused at the offline sessions', async () => {
      const faulty = faultyClient(client)
      const node = await open({ client: faulty.client })
      for (let n = 0; n < PARTITIONS; n++)
        faulty.arm(scripts.recompute, { when: 'delay', until: Promise.resolve() })
      faulty.arm(scripts.recompute, { when: 'before', error: readOnly })
      await expect(node.recompute('realm')).rejects.toMatchObject({ applied: 'unknown' })
    })

    test('sweep, refused once some are gone', async () => {
      for (let n = 0; n < 30; n++) await healthy.create('realm', login).then(createdSession)
      clock.advance(IDLE_MS)
      const faulty = faultyClient(client)
      const node = await open({ client: faulty.client })
      for (let n = 0; n < PARTITIONS; n++)
        faulty.arm(scripts.sweep, { when: 'delay', until: Promise.resolve() })
      faulty.arm(scripts.sweep, { when: 'before', error: readOnly })
      await expect(node.sweep()).rejects.toMatchObject({ applied: 'unknown' })
      expect(node.stats?.().swept).toBeGreaterThan(0)
    })

    test.each<[string, AnyScript, (node: Node, id: string) => Promise<unknown>]>([
      ['create', scripts.create, (node) => node.create('realm', login).then(createdSession)],
      ['createOffline', scripts.createOffline, (node, id) => node.createOffline('realm', id).then(sessionOf)],
      [
        'putClientSession',
        scripts.putClient,
        (node, id) => node.putClientSession('realm', id, { clientId: 'app2' }).then(sessionOf),
      ],
    ])('%s, refused once some have made room', async (_name, script, run) => {
      // So many that one step does not end them all.
      const many = Array.from({ length: 110 }, () =>
        healthy.create('realm', { ...login, client: { clientId: 'app2' } }).then(createdSession),
      )
      await Promise.all(many)
      const { id } = await healthy.create('realm', login).then(createdSession)
      const faulty = faultyClient(client)
      const node = await open({
        client: faulty.client,
        properties: {
          limitPolicy: 'end-oldest',
          maxTotalSessionsPerUser: 2,
          maxSessionsPerUserAndClient: 1,
        },
      })
      faulty.arm(script, { when: 'delay', until: Promise.resolve() })
      faulty.arm(script, { when: 'before', error: readOnly })
      await expect(run(node, id)).rejects.toMatchObject({ applied: 'unknown' })
      expect(await healthy.count('realm')).toBeLessThan(20)
    })
  })
})
