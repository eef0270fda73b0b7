import { createProviderRegistry } from '@authstate/registry'
import { defineSpi } from '@authstate/spi'
import { expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { redisConnection, redisConnectionSpi } from '../src/index.js'
import { freshPrefix } from './support.js'

const user = {
  spi: defineSpi('user'),
  id: 'redis',
  dependsOn: [redisConnectionSpi],
  create: () => ({}),
}

describeWith(redis, 'the redis section of a configuration', () => {
  test('every option of ours stands in it, those for ioredis under "ioredis"', async () => {
    const connectionName = freshPrefix()
    const registry = createProviderRegistry({
      factories: [user, redisConnection()],
      config: { redis: { url: redisUrl(), prefix: freshPrefix(), ioredis: { connectionName } } },
    })
    onTestFinished(() => registry.close())
    await registry.start()
    const control = openRedis()
    onTestFinished(() => control.disconnect())
    expect(String(await control.client('LIST'))).toContain(` name=${connectionName} `)
  })
})
