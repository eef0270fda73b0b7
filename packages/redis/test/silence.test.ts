import { RecordingLogger } from '@authstate/conformance'
import slotOf from 'cluster-key-slot'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { start, type Topology, until } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import type { OpenConnection } from '../src/connection.js'
import type { RedisClient, RedisConnection, RedisOptions } from '../src/index.js'
import { type SilencePolicy, SilenceWatch } from '../src/silence.js'
import { count, failureOf, freshPrefix, open } from './support.js'

describe('what counts as silent', () => {
  interface Sent {
    name: string
    args: unknown[]
  }
  const get: Sent = { name: 'get', args: ['theirs'] }

  function watching(policy: Partial<SilencePolicy> = {}) {
    const cut: Error[] = []
    const stream = {
      remoteAddress: 'h',
      remotePort: 1,
      bytesRead: 0,
      destroyed: false,
      destroy: (error: Error) => cut.push(error),
    }
    const queue: Sent[] = []
    const node = {
      status: 'ready',
      isCluster: false,
      stream,
      commandQueue: {
        get length() {
          return queue.length
        },
        toArray: () => queue.map((command) => ({ command })),
      },
      connected: 0,
      connect: () => {
        node.connected += 1
        return Promise.resolve()
      },
    }
    const logger = new RecordingLogger()
    const watch = new SilenceWatch(node as unknown as RedisClient, {
      timeoutMs: 800,
      holdMs: 0,
      isOurs: true,
      logger,
      ...policy,
    })
    const look = (times: number) => {
      for (let n = 0; n < times; n++) watch.look()
    }
    return { node, stream, queue, cut, look, logger }
  }

  test('eight looks that find an answer due, and not a byte more', () => {
    const { queue, look, cut, logger } = watching()
    look(20)
    queue.push(get)
    look(8)
    expect(cut).toEqual([])
    look(1)
    expect(cut.map(({ message }) => message)).toEqual(['nothing was heard for 800 ms'])
    expect(logger.entries).toEqual([
      {
        level: 'warn',
        fields: { host: 'h', port: 1, timeoutMs: 800 },
        message: expect.stringContaining('silent'),
      },
    ])
  })

  test('one byte, or a time without anything due, and it begins again', () => {
    const { stream, queue, look, cut } = watching()
    queue.push(get)
    look(8)
    stream.bytesRead += 1
    look(8)
    queue.length = 0
    look(1)
    queue.push(get)
    look(8)
    expect(cut).toEqual([])
  })

  test('a connection that is being made, from the first packet to the last of the handshake', () => {
    const { node, queue, look, cut } = watching()
    node.status = 'connecting'
    look(4)
    node.status = 'connect'
    queue.push({ name: 'hello', args: [] })
    look(5)
    expect(cut).toHaveLength(1)
  })

  test('not a server that loads its data: nothing is due then', () => {
    const { node, look, cut } = watching()
    node.status = 'connect'
    look(50)
    expect(cut).toEqual([])
  })

  test('a reader as long as it was told to wait, besides', () => {
    const { queue, look, cut } = watching({ holdMs: 1_600 })
    queue.push({ name: 'xread', args: [] })
    look(24)
    expect(cut).toEqual([])
    look(1)
    expect(cut).toHaveLength(1)
  })

  test('a reader without a bound only while it connects', () => {
    const { queue, look, cut } = watching({ holdMs: undefined })
    queue.push({ name: 'xread', args: [] })
    look(100)
    expect(cut).toEqual([])
  })

  test('a given client is cut only where a command of ours waits', () => {
    const { queue, look, cut } = watching({ isOurs: false })
    queue.push(get)
    look(50)
    expect(cut).toEqual([])
    queue.push({ name: 'ping', args: [] })
    look(9)
    expect(cut).toHaveLength(1)
  })

  test('a given client is not cut behind a command that waits on purpose, which is told once', () => {
    const { queue, look, cut, logger } = watching({ isOurs: false })
    queue.push({ name: 'blpop', args: [] }, { name: 'ping', args: [] })
    look(50)
    expect(cut).toEqual([])
    expect(logger.entries.map(({ fields }) => fields)).toEqual([{ command: 'blpop' }])
  })

  test('a client that waits for long before it connects again is connected', () => {
    const { node, look } = watching()
    node.status = 'reconnecting'
    look(4)
    expect(node.connected).toBe(0)
    look(1)
    expect(node.connected).toBe(1)
  })
})

const ended = <C extends RedisClient>(client: C): C => {
  onTestFinished(() => client.disconnect())
  client.on('error', () => {})
  return client
}
const COMMAND_TIMEOUT_MS = 1_000
const quick = () => ({ commandTimeoutMs: COMMAND_TIMEOUT_MS, prefix: freshPrefix() })

/** The client beneath a connection. */
async function clientOf(connection: RedisConnection): Promise<RedisClient> {
  let found: RedisClient | undefined
  const look = (client: RedisClient) => {
    found = client
    return client.ping()
  }
  await (connection as OpenConnection).readTime('TIME', look, () => undefined)
  return found as RedisClient
}

/** What a client keeps of commands that were not answered. */
function kept(client: RedisClient): number {
  const nodes = client.isCluster ? (client as Cluster).nodes('all') : [client]
  const queues = nodes.flatMap((node) => {
    const { commandQueue, offlineQueue, prevCommandQueue } = node as unknown as Record<
      string,
      { length: number }
    >
    return [commandQueue, offlineQueue, prevCommandQueue]
  })
  // A client that sends again what was not answered holds one queue under two names for a moment.
  return [...new Set(queues)].reduce((sum, queue) => sum + (queue?.length ?? 0), 0)
}

describeWith(serverBinary, 'a server that is frozen', () => {
  let server: Topology
  beforeAll(async () => {
    server = await start('single')
  })
  afterAll(() => server.stop())
  const url = () => `redis://127.0.0.1:${server.basePort}`

  test.each<[string, () => RedisOptions]>([
    ['made', () => ({ url: url() })],
    ['given, ioredis 6', () => ({ client: ended(new Redis(url())) })],
    ['given, ioredis 5', () => ({ client: ended(new Redis5(url())) })],
    [
      'given, that nearly never connects again',
      () => ({ client: ended(new Redis(url(), { retryStrategy: () => 3_600_000 })) }),
    ],
  ])(
    '%s client: its connection is replaced, nothing piles up, and calls succeed once it answers',
    async (_, options) => {
      const logger = new RecordingLogger()
      const connection = await open({ ...options(), ...quick() }, logger)
      const client = await clientOf(connection)
      const counter = connection.keys.key(0, 'n')
      const add = () => connection.run(count, { counter }, { by: 1 })
      expect(await add()).toBe(1)

      server.nodes[0]?.pause()
      onTestFinished(() => server.nodes[0]?.resume())
      // Ten times as many calls as the connection may keep, most of them while there is none.
      let most = 0
      for (let round = 0; round < 10; round++) {
        const errors = await Promise.all(Array.from({ length: 20 }, () => failureOf(add())))
        for (const error of errors) expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
        await until('the connection to be cut', () => client.status !== 'ready')
        most = Math.max(most, kept(client))
      }
      // A round of calls, and the question for the time.
      expect(most).toBeLessThanOrEqual(21)
      expect(logger.entries.map(({ message }) => message)).toContain(
        'a connection to Redis went silent; it is replaced',
      )
      server.nodes[0]?.resume()
      await until('a connection', () => add().catch(() => undefined))
    },
  )

  test('a reader is replaced as well', async () => {
    const connection = await open({ url: url(), ...quick() })
    const reader = (await connection.openReader(100)) as Redis
    const closed = new Promise((resolve) => reader.on('close', resolve))
    server.nodes[0]?.pause()
    onTestFinished(() => server.nodes[0]?.resume())
    const waiting = failureOf(reader.xread('BLOCK', 100, 'STREAMS', connection.keys.shared('s'), '$'))
    await closed
    expect(await waiting).toBeInstanceOf(Error)
    server.nodes[0]?.resume()
  })
})

describeWith(serverBinary, 'a frozen master behind sentinels', () => {
  test.each<[string, (sentinel: Topology) => RedisOptions]>([
    ['made', (sentinel) => ({ sentinels: sentinel.sentinels, name: sentinel.name })],
    [
      'given',
      ({ sentinels, name }) => ({
        client: ended(new Redis({ sentinels, name, sentinelCommandTimeout: 500 })),
      }),
    ],
  ])('%s client: calls reach the next master', async (_, options) => {
    const sentinel = await start('sentinel', { downAfterMs: 500 })
    onTestFinished(() => sentinel.stop())
    const connection = await open({ ...options(sentinel), ...quick() })
    const counter = connection.keys.key(0, 'n')
    const add = () => connection.run(count, { counter }, { by: 1 })
    await add()
    // The sentinel that stands first is on the same machine.
    sentinel.nodes[0]?.pause()
    sentinel.byPort(sentinel.sentinels[0]?.port ?? 0)?.pause()
    await failureOf(add())
    await until('the next master', () => add().catch(() => undefined))
  })
})

describeWith(serverBinary, 'a frozen master of a Cluster', () => {
  test.each<[string, (cluster: Topology) => RedisOptions]>([
    ['made', ({ startupNodes }) => ({ nodes: startupNodes })],
    ['given, ioredis 6', ({ startupNodes }) => ({ client: ended(new Cluster(startupNodes)) })],
    ['given, ioredis 5', ({ startupNodes }) => ({ client: ended(new Cluster5(startupNodes)) })],
  ])('%s client: its partitions work again, though nobody asks another node', async (_, options) => {
    const cluster = await start('cluster', { nodeTimeoutMs: 1_000 })
    onTestFinished(() => cluster.stop())
    await cluster.replicasListed()
    // Another node could say CLUSTERDOWN, and bring the client to ask who is who: nothing is asked of others, the time neither.
    const isOnFirst = (key: string) => slotOf(key) < 16_384 / 3 - 1
    let prefix = freshPrefix()
    while (!isOnFirst(`${prefix}:clock`)) prefix = freshPrefix()
    const connection = await open({ ...options(cluster), ...quick(), prefix })
    const keys = connection.keys.all.map((partition) => connection.keys.key(partition, 'n')).filter(isOnFirst)
    const addToAll = () => Promise.all(keys.map((counter) => connection.run(count, { counter }, { by: 1 })))
    expect(await addToAll()).not.toEqual([])
    cluster.nodes[0]?.pause()
    await failureOf(addToAll())
    await until('its partitions', () => addToAll().catch(() => undefined))
  })
})

test.each([
  ['that waits long to connect again is connected sooner', false, 1],
  ['that was ended while it waited is left alone', true, 0],
])('a client %s', (_, manuallyClosing, expected) => {
  let connects = 0
  const connect = async () => {
    connects += 1
  }
  const client = {
    status: 'reconnecting',
    isCluster: false,
    manuallyClosing,
    reconnectTimeout: null,
    connect,
  }
  const policy = { timeoutMs: 100, isOurs: true, logger: new RecordingLogger() }
  const watch = new SilenceWatch(client as unknown as RedisClient, policy)
  // As often as it looks in half of the time-out, and once to begin with.
  for (let look = 0; look < 5; look++) watch.look()
  expect(connects).toBe(expected)
})
