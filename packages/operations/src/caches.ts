import { assertName } from '@authstate/spi'
import { quote } from '@authstate/spi/internal'
import { type AuthState, realmCacheSpi } from 'authstate'
import type { RegionStats } from 'authstate/realm-cache'

/** Cached realm data. */
export interface CacheOperations {
  /** What each region of this process has done since it was made, by its name. Other nodes count for themselves. */
  stats(): Readonly<Record<string, RegionStats>>

  /**
   * Empties a region on every node.
   *
   * @throws {TypeError} this process has made no region of that name; names those that it has
   */
  clear(region: string): Promise<void>

  /** Empties every region on every node. */
  clearAll(): Promise<void>
}

/** Caches of a state. */
export function cacheOperations(state: AuthState): CacheOperations {
  const cache = () => state.get(realmCacheSpi)
  return {
    stats: () =>
      Object.fromEntries(
        cache()
          .regions()
          .map((name) => [name, cache().region(name).stats()]),
      ),
    async clear(region) {
      assertName(region, 'region')
      const known = cache().regions()
      if (!known.includes(region)) {
        const list = known.map(quote).join(', ') || 'none'
        throw new TypeError(`"region" must be a region of this process. Known: ${list}`)
      }
      await cache().region(region).clear()
    },
    async clearAll() {
      await cache().clearAll()
    },
  }
}
