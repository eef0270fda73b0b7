import { RecordingLogger } from '@authstate/conformance'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { start, type Topology } from '../../../tools/servers/topology.mjs'
import { describeWith, serverBinary } from '../../../tools/testing/capabilities.js'
import { eventually } from '../src/conformance/fixture.js'
import { clusterSpi } from '../src/index.js'
import { redisCluster } from '../src/redis.js'

const PASSWORD = 'a-long-password'

describeWith(serverBinary, 'a channel that Redis does not let be read', () => {
  let server: Topology
  let admin: Redis
  const registries: ReturnType<typeof createProviderRegistry>[] = []
  beforeAll(async () => {
    server = await start('single')
    admin = new Redis({ port: server.basePort })
  })
  beforeEach(async () => {
    await admin.call('ACL', 'SETUSER', 'node', 'reset', 'on', `>${PASSWORD}`, '~*', '+@all')
  })
  afterEach(async () => {
    for (const registry of registries.splice(0)) await registry.close()
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })
  const allow = (rule: string) => admin.call('ACL', 'SETUSER', 'node', rule)
  const connections = async () =>
    Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1])
  /** How often Redis has refused to let the channel be read. */
  const refusals = async () =>
    Number(/cmdstat_xread:.*rejected_calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0)

  function node() {
    const logger = new RecordingLogger()
    const registry = createProviderRegistry({
      factories: [redisCluster(), redisConnection()],
      config: {
        redis: { url: `redis://127.0.0.1:${server.basePort}`, username: 'node', password: PASSWORD },
        spi: { cluster: { provider: 'redis', redis: { readWaitMs: 20 } } },
      },
      logger,
    })
    registries.push(registry)
    const said = () =>
      logger.entries.filter(({ level }) => level === 'warn' || level === 'info').map(({ message }) => message)
    return { registry, said }
  }

  test('at the start: an error that names the right', async () => {
    await allow('-xread')
    await expect(node().registry.start()).rejects.toMatchObject({
      code: 'ERR_PROVIDER_CONFIGURATION',
      message: expect.stringContaining('+xread'),
    })
  })

  test('while it runs: said once and by health, with pauses, and read again as soon as it may be', async () => {
    const { registry, said } = node()
    await registry.start()
    const cluster = registry.get(clusterSpi)
    await allow('-xread')
    const says = 'cluster: the work channel cannot be read; trying again'
    await eventually(() => expect(said()).toContain(says))
    const before = await connections()
    const refused = await refusals()
    const begun = performance.now()
    await eventually(async () => expect((await refusals()) - refused).toBeGreaterThanOrEqual(6))
    // One for each attempt: the seventh is under way at most.
    const attempts = (await refusals()) - refused + 1
    expect((await connections()) - before).toBeLessThanOrEqual(attempts)
    // Pauses of 10 ms and more that double, of which half is left to chance: of six, five lie between the refusals.
    expect(performance.now() - begun).toBeGreaterThan((10 * (2 ** 5 - 1)) / 2)
    expect(said().filter((message) => message === says)).toHaveLength(1)
    const { ok, providers } = await registry.health()
    expect(ok).toBe(false)
    expect(providers.find(({ spi }) => spi === 'cluster')?.error).toMatch(
      /the work channel is .*: the user of Redis may not run "xread": add "\+xread" to its rights/,
    )
    await allow('+xread')
    await eventually(() => expect(cluster.channel().state).toBe('live'))
    expect(said()).toContain('cluster: the work channel can be read again')
    expect((await registry.health()).ok).toBe(true)
  })
})
