import { type RedisClient, type RedisOptions, redisConnection } from '@authstate/redis'
import { createProviderRegistry, type ProviderRegistry } from '@authstate/registry'
import type { AnyProviderFactory, Clock, RealmSettings } from '@authstate/spi'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import type { Place } from './subject.js'

/** A clock that stands still where it is wanted, and otherwise runs ahead of the host's. */
export class BenchClock implements Clock {
  aheadMs = 0
  now(): number {
    return Date.now() + this.aheadMs
  }
}

/** Nothing ends by itself while figures are taken, and nobody is ever locked out. */
export const steadyRealm: RealmSettings = {
  ssoSessionIdleTimeoutMs: 86_400_000,
  ssoSessionMaxLifespanMs: 3_650 * 86_400_000,
  bruteForce: { enabled: true, failureFactor: 1_000_000_000, quickLoginCheckMs: 0 },
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

const patient = {
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  lazyConnect: true,
} as const

/** How the library reaches Redis in each variant: by itself, or over a client that the application brings. */
function connection({ url, nodes, prefix, variant, redis: more }: Place): {
  redis: RedisOptions
  client?: RedisClient
} {
  switch (variant) {
    case 'cluster':
      return { redis: { nodes: [...nodes], prefix } }
    case 'plain':
      return given(new Redis(url, patient), prefix, false)
    case 'ioredis 5':
      return given(new Redis5(url, patient), prefix, true)
    case 'ioredis 5 plain':
      return given(new Redis5(url, patient), prefix, false)
    default:
      return { redis: { url, prefix, ...more } }
  }
}

const given = (client: RedisClient, prefix: string, batchWrites: boolean) => ({
  redis: { client, prefix, batchWrites },
  client,
})

export interface Store {
  readonly registry: ProviderRegistry
  readonly clock: BenchClock
  close(): Promise<void>
}

/** Starts providers of ours as an application would, and nothing besides. */
export async function openStore(
  place: Place,
  factories: readonly AnyProviderFactory[],
  {
    realm = steadyRealm,
    spi = {},
    partitions,
  }: {
    readonly realm?: RealmSettings
    readonly spi?: Record<string, Record<string, unknown>>
    /** @default that of the library */
    readonly partitions?: number
  } = {},
): Promise<Store> {
  const { redis, client } = connection(place)
  const clock = new BenchClock()
  const registry = createProviderRegistry({
    factories: [redisConnection(), ...factories],
    config: { redis: partitions === undefined ? redis : { ...redis, partitions }, spi },
    clock,
    logger: quiet,
    realms: () => realm,
  })
  await registry.start()
  return {
    registry,
    clock,
    close: async () => {
      await registry.close()
      client?.disconnect()
    },
  }
}
