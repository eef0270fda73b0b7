// What indexes keep of tokens that have ended.
import { FakeClock, openInspector } from '@authstate/conformance'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { actionTokenSpi } from '../src/index.js'
import { redisActionTokens } from '../src/redis.js'

describeWith(redis, 'indexes of tokens', () => {
  const client = openRedis()
  const prefix = `action-token-indexes-${process.pid}`
  afterAll(async () => {
    await (await openInspector(client)).clear(prefix)
    client.disconnect()
  })

  test('are pruned, at whatever last digits tokens end', async () => {
    const clock = new FakeClock()
    const registry = createProviderRegistry({
      factories: [redisActionTokens(), redisConnection()],
      config: { redis: { client, prefix, partitions: 1 }, spi: { 'action-token': { provider: 'redis' } } },
      clock,
    })
    await registry.start()
    const provider = registry.get(actionTokenSpi)
    clock.set(1_700_000_000_000)
    const put = (key: string, expiresAt: number) =>
      provider.put('r', 'code', key, { expiresAt, family: 'f', subject: 's' })
    // Ends of whole hours less a millisecond, as many write them.
    const later = clock.now() + 3_599_999
    await put('later', later)
    for (let n = 0; n < 10; n++) await put(`gone ${n}`, clock.now() + 999)
    clock.advance(2_000)
    for (let n = 0; n < 4; n++) {
      await put(`new ${n}`, later)
      clock.advance(1)
    }
    for (const index of ['ar:r', 'af:r:f', 'as:r:s'])
      expect(await client.zcard(`${prefix}:{00}:${index}`), index).toBe(5)
    await registry.close()
  })

  test('a family is refused for as long as was asked, however many tokens of it go', async () => {
    const clock = new FakeClock()
    const registry = createProviderRegistry({
      factories: [redisActionTokens(), redisConnection()],
      config: { redis: { client, prefix, partitions: 1 }, spi: { 'action-token': { provider: 'redis' } } },
      clock,
    })
    await registry.start()
    const provider = registry.get(actionTokenSpi)
    for (let n = 0; n < 101; n++)
      await provider.put('s', 'code', `${n}`, { lifespanMs: 3_600_000, family: 'g' })
    expect(await provider.revokeFamily('s', 'g', { lifespanMs: 60_000, consumed: 'remove' })).toBe(101)
    const late = { lifespanMs: 1_000, family: 'g' }
    clock.advance(59_999)
    expect(await provider.put('s', 'code', 'early', late)).toBe('refused')
    clock.advance(1_001)
    expect(await provider.put('s', 'code', 'late', late)).toBe('stored')
    await registry.close()
  })
})
