import { checkScripts } from '@authstate/conformance'
import { ConfigurationError, StoreCorruptError } from '@authstate/spi'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { connect } from '../src/index.js'
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
    expect(await raw.hgetall(`${prefix}:layout`)).toEqual({ partitions: '64', _v: '1' })
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
    await raw.hset(`${prefix}:layout`, { partitions: 16, _v: 2 })
    const error = await failureOf(start(prefix, 16))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect((error as Error).message).toContain('have layout 2, this version reads 1')
    expect(await raw.hgetall(`${prefix}:layout`)).toEqual({ partitions: '16', _v: '2' })
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
