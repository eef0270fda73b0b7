import type { ProviderFactory } from '@authstate/spi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type RealmCacheProvider, realmCacheSpi } from './contract.js'
import { LocalCache, type Outside } from './local-cache.js'
import { type RealmCacheConfig, realmCacheConfig } from './rules.js'

/** Caches for a server that runs as one process: nobody else is told. */
export function memoryRealmCache(): ProviderFactory<RealmCacheProvider, RealmCacheConfig> {
  return {
    spi: realmCacheSpi,
    id: 'memory',
    config: toStandardJsonSchema(realmCacheConfig),
    create: ({ clock, logger }, config) => new LocalCache(clock, logger, config, () => nobodyElse),
  }
}

const nobodyElse: Outside = {
  trust: { isSure: true, look: () => true, outages: 0, outageMs: 0 },
  announce: async () => {},
  queue: undefined,
  secondLevel: () => undefined,
  close: async () => {},
}
