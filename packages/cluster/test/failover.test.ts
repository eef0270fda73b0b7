import { RecordingLogger } from '@authstate/conformance'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { expect, test } from 'vitest'
import { start, until } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { eventually, gate } from '../src/conformance/fixture.js'
import { clusterSpi, type GapReason, type Lease } from '../src/index.js'
import { redisCluster } from '../src/redis.js'

describeWith(serverBinary, 'a failover of the master', () => {
  test('with a lock held: one holder at any time, and the nodes find each other again', {
    timeout: 120_000,
  }, async () => {
    const topology = await start('sentinel', { downAfterMs: 800 })
    const registries: ReturnType<typeof createProviderRegistry>[] = []
    try {
      const open = async (name: string) => {
        const registry = createProviderRegistry({
          factories: [redisCluster(), redisConnection()],
          config: {
            redis: { sentinels: topology.sentinels, name: topology.name, commandTimeoutMs: 1_000 },
            spi: {
              cluster: {
                provider: 'redis',
                redis: { heartbeatMs: 100, deadAfterMs: 5_000, readWaitMs: 100 },
              },
            },
          },
          node: { name },
          logger: new RecordingLogger(),
        })
        registries.push(registry)
        await registry.start()
        return registry.get(clusterSpi)
      }
      const [a, b] = [await open('a'), await open('b')]
      const heard: number[] = []
      const gaps: GapReason[] = []
      b.subscribe<number>('topic', (n) => void heard.push(n), { onGap: (reason) => void gaps.push(reason) })
      await a.publish('topic', 0)
      await eventually(() => expect(heard).toEqual([0]))

      const [begun, end] = [gate<Lease>(), gate()]
      const holding = a.withLock('work', { leaseMs: 3_000 }, async (lease) => {
        begun.open(lease)
        await end.opened
      })
      const held = await begun.opened
      await topology.nodes[0]?.stop({ crash: true })

      // The replica may have the lease and the holder renews it, or it may not and somebody else gets it: never both.
      let together = 0
      const waiting = b.withLock('work', { waitMs: 60_000, leaseMs: 3_000 }, async ({ fence }) => {
        if (held.held()) together += 1
        return fence
      })
      await until(
        'a new master',
        () =>
          a
            .refresh()
            .then(() => true)
            .catch(() => false),
        { timeoutMs: 60_000 },
      )
      await eventually(() => expect(b.channel().state).toBe('live'), 60_000)
      end.open()
      await holding
      expect(await waiting).toBeGreaterThan(held.fence)
      expect(together).toBe(0)

      await eventually(async () => {
        await Promise.all([a.refresh(), b.refresh()])
        expect(b.view().nodes.map(({ name }) => name)).toEqual(['a', 'b'])
        expect(a.view()).toEqual(b.view())
      })
      for (let n = 1; n <= 20; n++) await a.publish('topic', n)
      await eventually(() => expect(heard.at(-1)).toBe(20), 30_000)
      const missing = Array.from({ length: 21 }, (_, n) => n).filter((n) => !heard.includes(n))
      // Nothing is missing without a word.
      expect(missing.length > 0 && gaps.length === 0).toBe(false)
    } finally {
      for (const registry of registries) await registry.close()
      await topology.stop()
    }
  })
})
