import { openInspector } from '@authstate/conformance'
import { type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { cluster, clusterNodes, describeWith } from '../../../tools/testing/capabilities.js'
import { connectionName, killReaders, openCluster } from '../../../tools/testing/redis-targets.js'
import { eventually } from '../src/conformance/fixture.js'
import { clusterSpi, type GapReason } from '../src/index.js'
import { redisCluster } from '../src/redis.js'

describeWith(cluster, 'the work channel on a Redis Cluster', () => {
  for (const [whose, target] of [
    ['a client of ours', () => ({ nodes: clusterNodes(), ioredis: { redisOptions: { connectionName } } })],
    ['a client that was given', () => ({ client: openCluster() as RedisClient })],
  ] as const) {
    test(`${whose}: readers killed under load, nothing lost and nothing twice`, {
      timeout: 60_000,
    }, async () => {
      const controls = clusterNodes().map(({ host, port }) => new Redis(port, host))
      const inspected = openCluster()
      const prefix = `on-cluster-${process.pid}-${whose.length}`
      const given = target()
      const registry = createProviderRegistry({
        factories: [redisCluster(), redisConnection()],
        config: {
          redis: { ...given, prefix },
          spi: { cluster: { provider: 'redis', redis: { readWaitMs: 100 } } },
        },
        logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      })
      try {
        await registry.start()
        const provider = registry.get(clusterSpi)
        const heard: number[] = []
        const gaps: GapReason[] = []
        provider.subscribe<number>('topic', (n) => void heard.push(n), {
          onGap: (reason) => void gaps.push(reason),
        })
        let killed = 0
        let sent = 0
        while (killed < 20) {
          for (const control of controls) killed += await killReaders(control)
          for (let n = 0; n < 10; n++) await provider.publish('topic', sent++)
        }
        await eventually(() => expect(heard).toHaveLength(sent))
        expect(heard).toEqual(Array.from({ length: sent }, (_, n) => n))
        expect(gaps).toEqual([])
        await eventually(() => expect(provider.channel().state).toBe('live'))
      } finally {
        await registry.close()
        if ('client' in given) given.client.disconnect()
        await (await openInspector(inspected)).clear(prefix)
        inspected.disconnect()
        for (const control of controls) control.disconnect()
      }
    })
  }
})
