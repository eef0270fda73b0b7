import { assertName } from '@authstate/spi'
import { quote } from '@authstate/spi/internal'
import { type AuthState, clusterSpi, realmCacheSpi } from 'authstate'
import { type AskFiguresOptions, askFigures, type RegionStats } from 'authstate/realm-cache'
import type { Recorder } from './audit.js'

/** What the regions of a node have done, by the name of the region. */
export interface NodeCaches {
  readonly node: string
  /** Whether it is the process that answers. */
  readonly isThis: boolean
  readonly regions: Readonly<Record<string, RegionStats>>
}

/** Cached realm data. */
export interface CacheOperations {
  /** What each region of this process has done since it was made, by its name. Other nodes count for themselves. */
  stats(): Readonly<Record<string, RegionStats>>

  /**
   * What the regions of every node have done: asks the others, and waits for their answers for a second, or `waitMs`, at most.
   *
   * @returns `silent`: names of nodes that did not answer in time
   * @throws {StoreUnavailableError} the others could not be asked
   */
  statsOfNodes(
    options?: AskFiguresOptions,
  ): Promise<{ readonly nodes: readonly NodeCaches[]; readonly silent: readonly string[] }>

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
export function cacheOperations(state: AuthState, recorder: Recorder): CacheOperations {
  const cache = () => state.get(realmCacheSpi)
  const stats = () =>
    Object.fromEntries(
      cache()
        .regions()
        .map((name) => [name, cache().region(name).stats()]),
    )
  return {
    stats,
    async statsOfNodes(options) {
      const cluster = state.get(clusterSpi)
      const asked = await askFigures(cluster, options)
      const here = { node: cluster.node.name, isThis: true, regions: stats() }
      return { nodes: [here, ...asked.nodes.map((of) => ({ ...of, isThis: false }))], silent: asked.silent }
    },
    async clear(region) {
      assertName(region, 'region')
      const known = cache().regions()
      if (!known.includes(region)) {
        const list = known.map(quote).join(', ') || 'none'
        throw new TypeError(`"region" must be a region of this process. Known: ${list}`)
      }
      await recorder.act({ event: 'caches.clear', details: { region } }, () => cache().region(region).clear())
    },
    async clearAll() {
      await recorder.act({ event: 'caches.clear', details: { all: true } }, () => cache().clearAll())
    },
  }
}
