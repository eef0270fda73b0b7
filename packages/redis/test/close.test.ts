import type { EventEmitter } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ProviderClosedError } from '@authstate/spi'
import type { Cluster, Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { cluster, clusterNodes, describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { startChild } from '../../../tools/testing/child.js'
import { openCluster, openRedis } from '../../../tools/testing/redis-targets.js'
import type { RedisClient, RedisOptions } from '../src/index.js'
import { count, failureOf, freshPrefix, open } from './support.js'

const given = <C extends { disconnect(): void }>(client: C): C => {
  onTestFinished(() => client.disconnect())
  return client
}

describeWith(redis, 'close', () => {
  test('waits for commands in flight, which succeed', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    const counter = connection.keys.key(0, 'n')
    const inFlight = Promise.all(
      Array.from({ length: 100 }, () => connection.run(count, { counter }, { by: 1 })),
    )
    await connection.close()
    expect((await inFlight).at(-1)).toBe(100)
    expect(connection.stats().pending).toBe(0)
    await given(openRedis()).del(counter)
  })

  test('is done once, whoever asks', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    const first = connection.close()
    expect(connection.close()).toBe(first)
    await first
    await connection.close()
  })

  test('after it everything is refused, naming what was asked', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    await connection.close()
    const asked: [string, Promise<unknown>][] = [
      ['test.count', connection.run(count, { counter: 'x' }, { by: 1 })],
      ['test.count', connection.runEach(count, [{ keys: { counter: 'x' }, args: { by: 1 } }])],
      ['test.read', connection.hgetall('test.read', 'x')],
      ['test.read', connection.hmget('test.read', 'x', ['a'])],
      ['test.read', connection.get('test.read', 'x')],
      ['test.read', connection.countAfter('test.read', 'x', 1)],
      ['redis.check-health', connection.checkHealth()],
      ['redis', connection.openReader()],
    ]
    for (const [operation, call] of asked) {
      const error = await failureOf(call)
      expect(error).toBeInstanceOf(ProviderClosedError)
      expect(String(error)).toContain(`${operation}: `)
    }
  })

  test('a client that we made is ended, and so are its readers', async () => {
    const connection = await open({ url: redisUrl(), prefix: freshPrefix() })
    const name = freshPrefix()
    const reader = (await connection.openReader()) as Redis
    await reader.client('SETNAME', name)
    const blocked = failureOf(reader.xread('BLOCK', 0, 'STREAMS', connection.keys.shared('s'), '$'))
    await connection.close()
    await blocked
    const watching = given(openRedis())
    await expect.poll(() => watching.client('LIST')).not.toContain(name)
    expect(reader.status).toBe('end')
  })
})

describe('a given client', () => {
  const clients: [string, typeof redis, () => Redis | Cluster | RedisClient][] = [
    ['Redis', redis, () => openRedis()],
    ['Cluster', cluster, () => openCluster()],
  ]
  for (const [name, needs, make] of clients) {
    describeWith(needs, name, () => {
      const listeners = (emitter: EventEmitter) =>
        Object.fromEntries(emitter.eventNames().map((event) => [event, emitter.listenerCount(event)]))

      test('is left as it was: usable, and nothing of ours on it', async () => {
        const client = given(make() as Redis)
        await client.ping()
        const before = { listeners: listeners(client), own: Object.getOwnPropertyNames(client) }
        for (let round = 0; round < 3; round++) {
          const options = { client, prefix: freshPrefix(), batchWrites: true }
          const [item, two] = [await open(options), await open(options)]
          await item.close()
          await two.checkHealth()
          await two.close()
        }
        expect({ listeners: listeners(client), own: Object.getOwnPropertyNames(client) }).toEqual(before)
        expect(
          Object.getOwnPropertySymbols(client).map((item) => (client as never)[item]),
        ).not.toContainEqual(expect.objectContaining({ heads: expect.anything() }))
        expect(await client.ping()).toBe('PONG')
      })

      test('keeps a sendCommand that the application put on it', async () => {
        const client = given(make() as Redis)
        const seen: string[] = []
        const theirs = function (this: Redis, command: { name: string }, ...rest: never[]) {
          seen.push(command.name)
          return (Object.getPrototypeOf(client) as Redis).sendCommand.call(client, command as never, ...rest)
        }
        Object.assign(client, { sendCommand: theirs })
        const connection = await open({ client, prefix: freshPrefix() })
        await connection.checkHealth()
        await connection.close()
        expect(seen).toContain('evalsha')
        expect(client.sendCommand).toBe(theirs)
      })
    })
  }
})

describe('a process ends by itself', () => {
  const script = fileURLToPath(new URL('./fixtures/connections.ts', import.meta.url))

  /** Opens and closes connections in a process of their own; ms from its last word to its end. */
  async function run(
    ...targets: (RedisOptions & { next?: 'fail' | 'reader'; own?: string })[]
  ): Promise<number> {
    const child = startChild(script, [JSON.stringify(targets)])
    await child.said('done')
    const doneAt = performance.now()
    expect(await child.finished(), child.stderr).toBe('done\n')
    return performance.now() - doneAt
  }

  describeWith(redis, 'after close', () => {
    test('of a client that we made, with a reader, and of one that it made itself', async () => {
      const [url, prefix] = [redisUrl(), freshPrefix()]
      expect(await run({ url, prefix }, { url, prefix, next: 'reader' }, { own: url, prefix })).toBeLessThan(
        1_000,
      )
    })
  })

  describeWith(cluster, 'after close', () => {
    test('of a Cluster', async () => {
      expect(await run({ nodes: clusterNodes(), prefix: freshPrefix() })).toBeLessThan(1_000)
    })
  })

  test('after starts that failed', async () => {
    const fail = { next: 'fail', connectTimeoutMs: 300 } as const
    const tookMs = await run(
      { url: 'redis://127.0.0.1:1', ...fail },
      { nodes: ['127.0.0.1:1'], ...fail },
      { sentinels: ['127.0.0.1:1'], name: 'master', ...fail },
    )
    // ioredis gives the connections to sentinels 2 s to end, whatever their state.
    expect(tookMs).toBeLessThan(3_000)
  })
})
