import { clusterSpi } from '@authstate/cluster'
import { redisCluster } from '@authstate/cluster/redis'
import { openInspector } from '@authstate/conformance'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry, type ProviderRegistry } from '@authstate/registry'
import { afterAll, afterEach, expect, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { stickySessionEncoderSpi } from '../src/index.js'
import { redisStickySessions } from '../src/redis.js'
import { KEYRING } from './view.js'

const IDS = Array.from({ length: 3000 }, (_, n) => `session-${n}`)

describeWith(redis, 'over a cluster of real nodes', () => {
  const client = openRedis()
  const prefix = `sticky-${process.pid}`
  const running: ProviderRegistry[] = []
  afterAll(() => client.disconnect())
  afterEach(async () => {
    for (const registry of running.splice(0)) await registry.close()
    await (await openInspector(client)).clear(prefix)
  })

  async function join(name: string, route?: string): Promise<ProviderRegistry> {
    const registry = createProviderRegistry({
      factories: [redisStickySessions(), redisCluster(), redisConnection()],
      config: { redis: { url: redisUrl(), prefix } },
      node: { name, ...(route !== undefined && { route }) },
      keyring: KEYRING,
    })
    running.push(registry)
    await registry.start()
    return registry
  }

  /** Where each session belongs, as one node sees it now. */
  async function routesOf(registry: ProviderRegistry) {
    await registry.get(clusterSpi).refresh()
    return IDS.map((id) => registry.get(stickySessionEncoderSpi).route(id))
  }

  test('nodes agree, and one that leaves moves only its own sessions [109, 111]', async () => {
    const item = await join('host-1', 'n1')
    const two = await join('host-2', 'n2')
    const three = await join('host-3')
    const before = await routesOf(item)
    expect(new Set(before)).toEqual(new Set(['n1', 'n2', 'host-3']))
    expect(await routesOf(two)).toEqual(before)
    expect(await routesOf(three)).toEqual(before)

    const [id = ''] = IDS.filter((_, index) => before[index] === 'n2')
    const value = two.get(stickySessionEncoderSpi).sign(id)
    await two.close()

    const after = await routesOf(item)
    expect(await routesOf(three)).toEqual(after)
    const moved = before.filter((route, index) => route !== after[index])
    expect(new Set(moved)).toEqual(new Set(['n2']))
    expect(new Set(after)).toEqual(new Set(['n1', 'host-3']))
    const session = three.get(stickySessionEncoderSpi).verify(value)
    expect(session).toEqual({ id, route: 'n2' })
    expect(['n1', 'host-3']).toContain(three.get(stickySessionEncoderSpi).route(id))
  })
})
