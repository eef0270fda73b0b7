// Nodes of two versions beside each other: what is written is what all of them read.
import { FakeClock, openInspector, RecordingLogger } from '@authstate/conformance'
import { redisConnection, redisConnectionSpi } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { clusterSpi } from '../src/index.js'
import { redisCluster } from '../src/redis.js'

describeWith(redis, 'the layout of a deployment', () => {
  const control = openRedis()
  afterAll(() => control.disconnect())

  async function deployment() {
    const prefix = `cluster-layout-${process.pid}`
    const clock = new FakeClock()
    onTestFinished(async () => (await openInspector(control)).clear(prefix))
    await control.hset(`${prefix}:layout`, { partitions: 16, _v: 1 })
    const node = async (name: string, redis: object = {}) => {
      const registry = createProviderRegistry({
        factories: [redisCluster(), redisConnection()],
        config: {
          redis: { client: control, prefix, ...redis },
          spi: { cluster: { provider: 'redis', redis: { heartbeatMs: 600_000, deadAfterMs: 3_600_000 } } },
        },
        clock,
        node: { name },
        logger: new RecordingLogger(),
      })
      onTestFinished(() => registry.close())
      await registry.start()
      return { cluster: registry.get(clusterSpi), connection: registry.get(redisConnectionSpi) }
    }
    const keys = await (await openInspector(control)).keys(prefix)
    return { prefix, clock, node, keys, recorded: () => control.hget(`${prefix}:layout`, '_v') }
  }

  test('is raised by the first heartbeat that finds no older version, and no earlier', async () => {
    const { prefix, clock, node, recorded } = await deployment()
    const a = await node('a', { layout: 1 })
    const members =
      (await (await openInspector(control)).keys(prefix)).find((key) => key.endsWith('cm')) ?? ''
    // What the version before says of itself.
    const older = {
      'old:01HF7YAT00AAAAAAAAAAAAAAAA':
        '{"v":1,"name":"old","joinedAt":1700000000000,"beat":17,"sent":4,"now":1700000017000,"told":1}',
      'odd:01HF7YAT00BBBBBBBBBBBBBBBB': 'what nobody reads',
    }
    await control.hset(members, older)
    const b = await node('b')
    for (const field of Object.keys(older)) {
      await b.cluster.refresh()
      expect([await recorded(), a.connection.layout, b.connection.layout]).toEqual(['1', 1, 1])
      await control.hdel(members, field)
    }
    await a.cluster.refresh()
    expect(await recorded()).toBe('1')
    await b.cluster.refresh()
    expect(await recorded()).toBe('2')
    await a.connection.checkHealth()
    expect([a.connection.layout, b.connection.layout]).toEqual([1, 1])
    clock.advance(15_000)
    expect([a.connection.layout, b.connection.layout]).toEqual([2, 2])
  })
})
