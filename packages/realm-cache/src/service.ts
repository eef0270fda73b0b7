import { allSteps, defineService } from '@authstate/spi'
import { type Invalidation, type RealmCacheProvider, realmCacheSpi } from './contract.js'
import { fanOut } from './fan-out.js'

/** All that may be cached of a realm: whatever its name is, what is found by that is tagged. */
const ofRealm = (id: string): Invalidation => fanOut.realm.removed({ id, name: [] })

/** In every region that this node knows, and there on every node. */
const invalidate = (provider: RealmCacheProvider, what: Invalidation): Promise<unknown> =>
  allSteps(provider.regions().map((name) => provider.region(name).invalidate(what)))

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
    remove: (provider, realmId) => invalidate(provider, ofRealm(realmId)),
    changed: (provider, realmId) => invalidate(provider, ofRealm(realmId)),
  },
  user: {
    forget: (provider, realmId, userId) => invalidate(provider, fanOut.user.removed({ realmId, id: userId })),
  },
  events: ['invalidated', 'cleared', 'distrusted', 'trusted'],
  keys: {
    rv: 'a value, or the ticket of a node that asks for it',
    rg: 'what is true in a region',
    rt: 'a tag',
  },
  stats: (provider) =>
    Object.fromEntries(provider.regions().map((name) => [name, provider.region(name).stats()])),
})

// What the front door shows of it.
export type { CacheRegion, RealmCacheProvider } from './contract.js'
export { realmCacheSpi } from './contract.js'
