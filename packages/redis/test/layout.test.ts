import { checkScripts, FakeClock } from '@authstate/conformance'
import { ConfigurationError, StoreCorruptError } from '@authstate/spi'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { connect, type RedisOptions } from '../src/index.js'
import * as scripts from '../src/scripts.js'
import { failureOf, freshPrefix, open } from './support.js'

checkScripts(
  'redis',
  scripts,
  new URL('../src/lua/', import.meta.url),
  { describe, test },
  'redis.read-clock',
)

describeWith(redis, 'what a deployment has recorded', () => {
  const raw = openRedis()
  afterAll(() => raw.disconnect())
  /** A prefix whose record is removed when the test ends. */
  const prefixed = () => {
    const prefix = freshPrefix()
    onTestFinished(() => void raw.del(`${prefix}:layout`))
    return prefix
  }
  const start = (prefix: string, partitions: number) => open({ url: redisUrl(), prefix, partitions })

  test('the first node records, the others agree', async () => {
    const prefix = prefixed()
    const first = await start(prefix, 64)
    expect(first.keys.partitions).toBe(64)
    expect(await raw.hgetall(`${prefix}:layout`)).toEqual({ partitions: '64', _v: '2' })
    expect(await raw.pttl(`${prefix}:layout`)).toBe(-1)
    await start(prefix, 64)
  })

  test.each([16, 65, 256])('a node with %d partitions stops, and says both numbers', async (partitions) => {
    const prefix = prefixed()
    await start(prefix, 64)
    const error = await failureOf(connect({ url: redisUrl(), prefix, partitions }))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as Error).message).toMatch(
      new RegExp(`^redis\\.partitions: .* configured with ${partitions}, .* "${prefix}" has 64;`),
    )
    expect(await raw.hget(`${prefix}:layout`, 'partitions')).toBe('64')
  })

  test('another prefix is another deployment', async () => {
    await start(prefixed(), 64)
    await start(prefixed(), 8)
  })

  test('keys of another layout are left alone', async () => {
    const prefix = prefixed()
    await raw.hset(`${prefix}:layout`, { partitions: 16, _v: 3 })
    const error = await failureOf(start(prefix, 16))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as Error).message).toContain('have layout 3, this version reads 1 to 2')
    expect(await raw.hgetall(`${prefix}:layout`)).toEqual({ partitions: '16', _v: '3' })
  })

  test('the layout before is written until somebody says that every node reads the next one, and fifteen seconds longer', async () => {
    const prefix = prefixed()
    await raw.hset(`${prefix}:layout`, { partitions: 16, _v: 1 })
    const clock = new FakeClock()
    const node = async (options: Partial<RedisOptions> = {}) => {
      const connection = await connect({ url: redisUrl(), prefix, ...options }, { clock })
      onTestFinished(() => connection.close())
      return connection
    }
    const [a, b, held] = [await node(), await node(), await node({ layout: 1 })]
    const layouts = () => [a, b, held].map(({ layout }) => layout)
    await held.raiseLayout()
    expect(await raw.hgetall(`${prefix}:layout`)).toEqual({ partitions: '16', _v: '1' })
    const raisedAt = clock.now()
    await a.raiseLayout()
    const recorded = { partitions: '16', _v: '2', raisedAt: String(raisedAt) }
    expect(await raw.hgetall(`${prefix}:layout`)).toEqual(recorded)
    for (const other of [b, held]) await other.checkHealth()
    clock.advance(14_999)
    expect(layouts()).toEqual([1, 1, 1])
    expect((await node()).layout).toBe(1)
    clock.advance(1)
    expect(layouts()).toEqual([2, 2, 2])
    await b.raiseLayout()
    expect(await raw.hgetall(`${prefix}:layout`)).toEqual(recorded)
    // What Redis lost is claimed again as it was.
    await raw.del(`${prefix}:layout`)
    await held.checkHealth()
    expect([held.layout, (await node()).layout]).toEqual([2, 2])
  })

  test('redis.layout chooses for a new deployment, and goes over to the next one at the start', async () => {
    const prefix = prefixed()
    const first = await open({ url: redisUrl(), prefix, layout: 1 })
    expect([first.layout, (await start(prefix, 16)).layout]).toEqual([1, 1])
    await open({ url: redisUrl(), prefix, layout: 2 })
    expect(await raw.hgetall(`${prefix}:layout`)).toEqual({
      partitions: '16',
      _v: '2',
      raisedAt: expect.stringMatching(/^\d{13}$/),
    })
  })

  test('a guest writes in the layout that it finds', async () => {
    const prefix = prefixed()
    await open({ url: redisUrl(), prefix, layout: 1 })
    const guest = async () => {
      const connection = await connect({ url: redisUrl(), prefix }, { isGuest: true })
      onTestFinished(() => connection.close())
      return connection.layout
    }
    expect(await guest()).toBe(1)
    await raw.hset(`${prefix}:layout`, { _v: 2 })
    expect(await guest()).toBe(2)
  })

  test('a foreign key in its place stops the start', async () => {
    const prefix = prefixed()
    await raw.set(`${prefix}:layout`, 'foreign')
    expect(await failureOf(start(prefix, 16))).toBeInstanceOf(StoreCorruptError)
    expect(await raw.get(`${prefix}:layout`)).toBe('foreign')
  })

  test('of nodes that start at once with different numbers, exactly one number wins', async () => {
    for (let round = 0; round < 10; round++) {
      const prefix = prefixed()
      const tried = await Promise.allSettled(
        [8, 16, 32, 8, 16, 32].map((partitions) => start(prefix, partitions)),
      )
      const agreed = tried.flatMap((item) =>
        item.status === 'fulfilled' ? [item.value.keys.partitions] : [],
      )
      const refused = tried.flatMap((item) => (item.status === 'rejected' ? [item.reason] : []))
      expect(agreed).toHaveLength(2)
      expect(new Set(agreed)).toEqual(new Set([Number(await raw.hget(`${prefix}:layout`, 'partitions'))]))
      for (const error of refused) expect(error).toBeInstanceOf(ConfigurationError)
    }
  })

  test('a node that is refused leaves no connection behind', async () => {
    const prefix = prefixed()
    await start(prefix, 64)
    const clients = async () => (String(await raw.client('LIST')).match(/^id=/gm) ?? []).length
    const before = await clients()
    await failureOf(connect({ url: redisUrl(), prefix, partitions: 8 }))
    await expect.poll(clients).toBeLessThanOrEqual(before)
  })
})
