import { openInspector, RecordingLogger } from '@authstate/conformance'
import { type RedisConnection, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { type Clock, systemClock } from '@authstate/spi'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { eventually, gate } from '../src/conformance/fixture.js'
import { type ClusterProvider, clusterSpi } from '../src/index.js'
import { redisCluster } from '../src/redis.js'

// No clock is given: what the nodes go by is the clock of their connection, and that one steps, as in a failover.
describeWith(redis, 'a clock of the deployment that steps', () => {
  const control = openRedis()
  const prefix = `steps-${process.pid}`
  const registries: ReturnType<typeof createProviderRegistry>[] = []
  let steppedMs = 0
  const clock: Clock = { now: () => systemClock.now() + steppedMs }
  beforeEach(() => {
    steppedMs = 0
  })
  afterEach(async () => {
    for (const registry of registries.splice(0)) await registry.close()
    await (await openInspector(control)).clear(prefix)
  })
  afterAll(() => control.disconnect())

  function withClock(connection: RedisConnection): RedisConnection {
    return new Proxy(connection, {
      get: (target, name) => {
        if (name === 'clock') return clock
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  async function open(name: string, properties: object = {}): Promise<ClusterProvider> {
    const connecting = redisConnection()
    const registry = createProviderRegistry({
      factories: [
        redisCluster(),
        {
          ...connecting,
          create: async (context, config) => withClock(await connecting.create(context, config)),
        },
      ],
      config: {
        redis: { client: control, prefix },
        spi: { cluster: { provider: 'redis', redis: { readWaitMs: 50, ...properties } } },
      },
      node: { name },
      logger: new RecordingLogger(),
    })
    registries.push(registry)
    await registry.start()
    return registry.get(clusterSpi)
  }

  test.each([-3_000, 3_000])(
    'by %i ms: whoever waits for a lock goes on waiting, and gets it',
    async (stepMs) => {
      const [a, b] = [await open('a'), await open('b')]
      const [begun, end] = [gate(), gate()]
      const holding = a.withLock('work', {}, async () => {
        begun.open()
        await end.opened
      })
      await begun.opened
      const waiting = b.withLock('work', { waitMs: 2_900 }, () => 'got it')
      waiting.catch(() => {})
      // It has asked for the lock before the clock steps, and again after it.
      await b.runOnce('unrelated', {}, () => {})
      steppedMs = stepMs
      for (let n = 0; n < 20; n++) await b.runOnce('unrelated', {}, () => {})
      end.open()
      await holding
      expect(await waiting).toBe('got it')
    },
  )

  test('however often: nobody is expelled, and the channel has not been silent for longer', async () => {
    const properties = { heartbeatMs: 600_000, deadAfterMs: 3_600_000 }
    const [a] = [await open('a', properties), await open('b', properties)]
    await eventually(() => expect(a.view().nodes).toHaveLength(2))
    for (let n = 0; n < 8; n++) {
      steppedMs += 3_600_000
      await a.refresh()
    }
    expect(a.view().nodes.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(a.channel().silentMs).toBeLessThan(60_000)
    steppedMs -= 86_400_000
    await a.refresh()
    expect(a.channel().silentMs).toBeLessThan(60_000)
  })

  test('the clock of the provider is that of its connection', async () => {
    const a = await open('a')
    steppedMs = 3_000
    expect((a.clock as Clock).now() - systemClock.now()).toBeGreaterThan(2_900)
  })
})
