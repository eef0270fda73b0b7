import { randomUUID } from 'node:crypto'
import { type RedisClient, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { type AnyProviderFactory, assertOptions, type Known, type Provider, type Spi } from '@authstate/spi'
import { openInspector } from './inspector.js'
import { checkKeySpace, type KeyObserver, type KeySpaceRules } from './key-space-check.js'
import { observeClient } from './observed-client.js'
import type { Target } from './target.js'

/** A provider on Redis, and what its keys must look like. */
export interface RedisTargetOptions<P extends Provider> {
  readonly name: string
  readonly spi: Spi<P>
  /** The provider under test and what it depends on; the connection is added. */
  readonly factories: readonly AnyProviderFactory[]
  /** An ioredis client (`Redis` or `Cluster`) that the caller opens and ends. Asked when the first case runs. */
  readonly client: () => RedisClient
  /** What the keys of this SPI must satisfy after every case. */
  readonly keySpace: KeySpaceRules
  /** Told of the keys that are left after each case. */
  readonly observe?: KeyObserver
  /** @default 16 */
  readonly partitions?: number
  /** `redis.layout`: 1 for records as the version before wrote them. @default the latest */
  readonly layout?: 1 | 2
  /** Puts faults between the provider and Redis. */
  readonly wrap?: (client: RedisClient) => RedisClient
}

const OPTIONS: Known<RedisTargetOptions<Provider>> = {
  name: true,
  spi: true,
  factories: true,
  client: true,
  keySpace: true,
  observe: true,
  partitions: true,
  layout: true,
  wrap: true,
}

/** A Redis store under a prefix of its own for each case; the key space is checked and cleared afterwards. */
export function redisTarget<P extends Provider>(options: RedisTargetOptions<P>): Target<P> {
  assertOptions<RedisTargetOptions<Provider>>(options, 'options', OPTIONS)
  return {
    name: options.name,
    open: async ({ properties: shared, ...context }) => {
      const prefix = `test-${randomUUID()}`
      const observed = observeClient(options.client())
      const client = options.wrap?.(observed.client) ?? observed.client
      const registries: ReturnType<typeof createProviderRegistry>[] = []
      return {
        provider: async (properties, { clock = context.clock, ...node } = {}) => {
          const registry = createProviderRegistry({
            factories: [...options.factories, redisConnection()],
            config: {
              redis: {
                client,
                prefix,
                partitions: options.partitions ?? 16,
                layout: options.layout,
                commandTimeoutMs: 10_000,
              },
              spi: { [options.spi.name]: { provider: 'redis', redis: { ...properties } } },
            },
            ...context,
            clock,
            node,
          })
          registries.push(registry)
          await registry.start()
          return registry.get(options.spi)
        },
        commands: observed.commands,
        verify: async () => {
          observed.assertPrefix(prefix)
          const inspector = await openInspector(options.client())
          try {
            await checkKeySpace(inspector, prefix, options.keySpace, context.clock.now(), options.observe)
          } finally {
            inspector.close()
          }
        },
        close: async () => {
          for (const registry of registries.reverse()) await registry.close()
          const inspector = await openInspector(options.client())
          try {
            await inspector.clear(prefix)
          } finally {
            inspector.close()
          }
        },
      }
    },
  }
}
