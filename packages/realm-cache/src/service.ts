import { defineService } from '@authstate/spi'
import { type Invalidation, type RealmCacheProvider, realmCacheSpi } from './contract.js'
import { cacheKeys, cacheTags } from './fan-out.js'

const inRealm = (realmId: string): Invalidation => ({
  tag: cacheTags.inRealm(realmId),
  keys: [cacheKeys.realm(realmId)],
})

const aboutUser = (realmId: string, id: string): Invalidation => ({
  tag: cacheTags.ofUser(realmId, id),
  keys: [
    cacheKeys.user(realmId, id),
    cacheKeys.userIdentityLinks(realmId, id),
    cacheKeys.userConsents(realmId, id),
  ],
})

/** In every region that this node knows, and there on every node. */
const invalidate = (provider: RealmCacheProvider, what: Invalidation): Promise<unknown> =>
  Promise.all(provider.regions().map((name) => provider.region(name).invalidate(what)))

/** What the rest of the house knows of realm-cache. */
export const realmCacheService = defineService({
  name: 'realm-cache',
  member: 'realmCache',
  spi: realmCacheSpi,
  stores: {
    memory: async () => (await import('./memory.js')).memoryRealmCache(),
    redis: async () => (await import('./redis.js')).redisRealmCache(),
  },
  realm: {
    remove: (provider, realmId) => invalidate(provider, inRealm(realmId)),
    changed: (provider, realmId) => invalidate(provider, inRealm(realmId)),
  },
  user: {
    forget: (provider, realmId, userId) => invalidate(provider, aboutUser(realmId, userId)),
  },
  events: ['invalidated', 'cleared', 'distrusted', 'trusted'],
  keys: {
    rv: 'a value, or the ticket of one who asks for it',
    rg: 'what is true in a region',
    rt: 'a tag',
  },
  stats: (provider) =>
    Object.fromEntries(provider.regions().map((name) => [name, provider.region(name).stats()])),
})

// What the front door shows of it.
export type { CacheRegion, RealmCacheProvider } from './contract.js'
export { realmCacheSpi } from './contract.js'
