import { randomBytes } from 'node:crypto'
import { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { start, type Topology } from '../../../tools/servers/topology.mjs'
import {
  cluster,
  clusterNodes,
  describeWith,
  redis,
  redisUrl,
  serverBinary,
} from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { batchWrites, type RedisClient, type RedisOptions } from '../src/index.js'
import { count, freshPrefix, open, roundTrips } from './support.js'

const given = (client: Redis): Redis => {
  onTestFinished(() => client.disconnect())
  return client
}

const tick = () => new Promise((resolve) => setImmediate(resolve))

/** A socket that notes how many chunks each system call would have carried. */
class Wire extends Writable {
  readonly flushes: number[] = []
  override _write(_: Buffer, __: string, done: () => void): void {
    this.flushes.push(1)
    done()
  }
  override _writev(chunks: readonly unknown[], done: () => void): void {
    this.flushes.push(chunks.length)
    done()
  }
}

describe('batches', () => {
  function batched(size?: number): { stream: Wire; send: (commands: number) => void; stop: () => void } {
    const stream = new Wire()
    const listeners = new Set<unknown>()
    const client = {
      stream,
      on: (_: string, item: unknown) => listeners.add(item),
      off: (_: string, item: unknown) => listeners.delete(item),
    }
    const stop = batchWrites(client as unknown as RedisClient, size)
    return {
      stream,
      send: (commands) => {
        for (let n = 0; n < commands; n++) stream.write('x')
      },
      stop: () => {
        stop()
        expect(listeners.size).toBe(0)
      },
    }
  }

  test.each<[number, number[]]>([
    [1, [1]],
    [15, [15]],
    [16, [16]],
    [17, [16, 1]],
    [40, [16, 16, 8]],
  ])('%d commands of one tick leave as %j', async (commands, flushes) => {
    const { stream, send } = batched()
    send(commands)
    await tick()
    expect(stream.flushes).toEqual(flushes)
    send(commands)
    await tick()
    expect(stream.flushes).toEqual([...flushes, ...flushes])
  })

  test('a lone command leaves before anything else happens', async () => {
    const { stream, send } = batched()
    send(1)
    await new Promise<void>((resolve) => process.nextTick(resolve))
    expect(stream.flushes).toEqual([1])
  })

  test('their size can be chosen', async () => {
    const { stream, send } = batched(2)
    send(5)
    await tick()
    expect(stream.flushes).toEqual([2, 2, 1])
  })

  test('a socket is batched once, whoever asks', async () => {
    const { stream, send, stop } = batched()
    batchWrites({ stream, on() {}, off() {} } as unknown as RedisClient, 2)
    send(17)
    await tick()
    expect(stream.flushes).toEqual([16, 1])
    stop()
  })

  test('after the end of a socket nothing is thrown', async () => {
    const { stream, send } = batched()
    stream.on('error', () => {})
    send(3)
    stream.destroy()
    send(3)
    await tick()
  })
})

/** Writes and reads back from many places at once. How many pairs went well; a wrong answer throws. */
async function writeAndRead(client: Redis | Cluster, keys: string, rounds: number): Promise<number> {
  let good = 0
  const writer = async (name: number) => {
    for (let round = 0; round < rounds; round++) {
      const value = `${name}-${round}`
      const key = `${keys}:${name}`
      try {
        const [, read] = await Promise.all([client.set(key, value, 'PX', 60_000), client.get(key)])
        expect(read).toBe(value)
        good += 1
      } catch (error) {
        if (error instanceof Error && error.name === 'AssertionError') throw error
        await tick()
      }
    }
  }
  await Promise.all(Array.from({ length: 64 }, (_, name) => writer(name)))
  return good
}

describeWith(redis, 'batched writes', () => {
  const client = openRedis()
  batchWrites(client)
  const keys = freshPrefix()
  afterAll(() => client.disconnect())

  test('from 64 writers: every reply is the right one', async () => {
    expect(await writeAndRead(client, keys, 50)).toBe(64 * 50)
  })

  test('next to pipelines and transactions on the same client', async () => {
    const transaction = (n: number) =>
      client.multi().set(`${keys}:m${n}`, n, 'PX', 5_000).get(`${keys}:m${n}`).incr(`${keys}:m${n}`).exec()
    const pipeline = (n: number) =>
      client.pipeline().set(`${keys}:p${n}`, n, 'PX', 5_000).get(`${keys}:p${n}`).exec()
    const numbers = Array.from({ length: 100 }, (_, n) => n)
    const [plain, multi, piped] = await Promise.all([
      Promise.all(numbers.map((n) => client.echo(`${n}`))),
      Promise.all(numbers.map(transaction)),
      Promise.all(numbers.map(pipeline)),
    ])
    expect(plain).toEqual(numbers.map(String))
    expect(multi).toEqual(
      numbers.map((n) => [
        [null, 'OK'],
        [null, `${n}`],
        [null, n + 1],
      ]),
    )
    expect(piped).toEqual(
      numbers.map((n) => [
        [null, 'OK'],
        [null, `${n}`],
      ]),
    )
  })

  test('large values among small ones', async () => {
    const large = randomBytes(2_500_000).toString('hex')
    const buffer = randomBytes(5_000_000)
    const small = () => Promise.all(Array.from({ length: 50 }, (_, n) => client.echo(`${n}`)))
    const answers = await Promise.all([
      small(),
      client.set(`${keys}:text`, large, 'PX', 10_000),
      small(),
      client.set(`${keys}:bytes`, buffer, 'PX', 10_000),
      client.get(`${keys}:text`),
      client.getBuffer(`${keys}:bytes`),
      small(),
    ])
    expect(answers[4] === large).toBe(true)
    expect(answers[5]?.equals(buffer)).toBe(true)
    for (const item of [0, 2, 6]) expect(answers[item]).toEqual(Array.from({ length: 50 }, (_, n) => `${n}`))
    await client.del(`${keys}:text`, `${keys}:bytes`)
  })

  test.each<[string, boolean, () => RedisOptions]>([
    ['on for a client that we make', true, () => ({ url: redisUrl() })],
    ['off when asked', false, () => ({ url: redisUrl(), batchWrites: false })],
    ['off for a client that we are given', false, () => ({ client: given(openRedis()) })],
    ['on when asked', true, () => ({ client: given(openRedis()), batchWrites: 4 })],
  ])('are %s', async (_, on, options) => {
    const connection = await open({ ...options(), prefix: freshPrefix() })
    const cork = vi.spyOn(Socket.prototype, 'cork')
    onTestFinished(() => cork.mockRestore())
    await connection.checkHealth()
    expect(cork.mock.calls.length > 0).toBe(on)
  })
})

describeWith(serverBinary, 'batched writes over connections that are cut', () => {
  let server: Topology
  beforeAll(async () => {
    server = await start('single')
  })
  afterAll(() => server.stop())

  test('64 writers, 5 cuts: nothing wrong is ever read', async () => {
    const [client, admin] = [new Redis({ port: server.basePort }), new Redis({ port: server.basePort })]
    onTestFinished(() => {
      client.disconnect()
      admin.disconnect()
    })
    client.on('error', () => {})
    batchWrites(client)
    const sockets = new Set<unknown>()
    const cuts = (async () => {
      for (let cut = 0; cut < 5; cut++) {
        await roundTrips(admin, 100 + 37 * cut)
        sockets.add(client.stream)
        expect(Object.hasOwn(client.stream, 'write')).toBe(true)
        await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
        while (client.status !== 'ready' || sockets.has(client.stream)) await tick()
      }
    })()
    let good = 0
    let done = false
    void cuts.then(() => {
      done = true
    })
    while (!done) good += await writeAndRead(client, freshPrefix(), 10)
    await cuts
    expect(sockets.size).toBe(5)
    expect(good).toBeGreaterThan(64)
  })

  test('through a connection that we make', async () => {
    const connection = await open({ url: `redis://127.0.0.1:${server.basePort}`, batchWrites: 3 })
    const counter = connection.keys.key(0, 'n')
    const calls = Array.from({ length: 100 }, () => ({ keys: { counter }, args: { by: 1 } }))
    expect(await connection.runEach(count, calls)).toEqual(calls.map((_, n) => n + 1))
  })
})

describeWith(cluster, 'batched writes on a Cluster', () => {
  test('reach each node, the ones that join later too', async () => {
    const client = new Cluster(clusterNodes().slice(0, 1), { lazyConnect: true })
    onTestFinished(() => client.disconnect())
    const stop = batchWrites(client as unknown as RedisClient)
    await client.connect()
    const keys = freshPrefix()
    expect(await writeAndRead(client, keys, 10)).toBe(640)
    const nodes = client.nodes('master')
    expect(nodes).toHaveLength(3)
    for (const node of nodes) expect(Object.hasOwn(node.stream, 'write')).toBe(true)
    expect(client.listenerCount('+node')).toBeGreaterThan(0)
    const before = client.listenerCount('+node')
    stop()
    expect(client.listenerCount('+node')).toBe(before - 1)
  })
})
