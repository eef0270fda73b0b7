import { FakeClock, openInspector, RecordingLogger } from '@authstate/conformance'
import { type RedisOptions, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { type Clock, systemClock } from '@authstate/spi'
import type { Redis } from 'ioredis'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { type ClusterProvider, clusterSpi } from '../src/index.js'
import { redisCluster } from '../src/redis.js'

export interface TestNode {
  readonly provider: ClusterProvider
  readonly logger: RecordingLogger
  readonly client: Redis
  /** Ends it without a word: nothing of it reaches Redis any more. */
  crash(): void
}

export interface TestNodeOptions {
  readonly name?: string
  readonly site?: string
  readonly clock?: Clock
  readonly properties?: Readonly<Record<string, unknown>>
  readonly redis?: RedisOptions
}

let worlds = 0

/** Nodes over a prefix of their own on the test server. */
export function openWorld(control: Redis) {
  const prefix = `cluster-${process.pid}-${++worlds}`
  const opened: { registry: ReturnType<typeof createProviderRegistry>; client: Redis }[] = []
  return {
    prefix,
    clock: new FakeClock(),
    /** Keys of this world of one kind. */
    key: async (kind: string) => {
      const inspector = await openInspector(control)
      return (await inspector.keys(prefix)).filter((key) => key.split(':')[2] === kind)
    },
    async node(options: TestNodeOptions = {}): Promise<TestNode> {
      const { name, site, clock = systemClock, properties = {}, redis } = options
      const logger = new RecordingLogger()
      const client = openRedis()
      const registry = createProviderRegistry({
        factories: [redisCluster(), redisConnection()],
        config: {
          redis: redis ?? { client, prefix, commandTimeoutMs: 5_000 },
          spi: { cluster: { provider: 'redis', redis: { readWaitMs: 200, ...properties } } },
        },
        clock,
        logger,
        node: { ...(name !== undefined && { name }), ...(site !== undefined && { site }) },
      })
      opened.push({ registry, client })
      await registry.start()
      return { provider: registry.get(clusterSpi), logger, client, crash: () => client.disconnect() }
    },
    async close(): Promise<void> {
      for (const { registry, client } of opened.splice(0)) {
        await registry.close()
        client.disconnect()
      }
      await (await openInspector(control)).clear(prefix)
    },
  }
}

export type World = ReturnType<typeof openWorld>

export const messages = ({ logger }: TestNode, level?: string): string[] =>
  logger.entries.filter((entry) => level === undefined || entry.level === level).map(({ message }) => message)
