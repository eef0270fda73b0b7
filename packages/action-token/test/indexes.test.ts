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
})
