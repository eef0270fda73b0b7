import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { type RealmCacheConfig, realmCacheConfig } from './config.js'
import { type RealmCacheProvider, realmCacheSpi } from './contract.js'
import { LocalCache } from './local-cache.js'
import type { Transport } from './transport.js'

/** Caches for a server that runs as one process: no other node is notified. */
export function memoryRealmCache(): ProviderFactory<RealmCacheProvider, RealmCacheConfig>
export function memoryRealmCache(...given: unknown[]): ProviderFactory<RealmCacheProvider, RealmCacheConfig> {
  assertNoProperties(given, 'memoryRealmCache', realmCacheSpi, 'memory')
  return {
    spi: realmCacheSpi,
    id: 'memory',
    config: describedSchema(realmCacheConfig),
    create: ({ clock, logger }, config) => new LocalCache(clock, logger, config, () => singleNode),
  }
}

const singleNode: Transport = {
  freshness: { isSure: true, check: () => true, outages: 0, outageMs: 0 },
  announce: async () => {},
  queue: undefined,
  secondLevel: () => undefined,
  close: async () => {},
}
