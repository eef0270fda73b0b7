import { createHash } from 'node:crypto'
import { type ClusterProvider, clusterSpi } from '@authstate/cluster'
import type { Clock, ProviderFactory } from '@authstate/spi'
import { ChannelTrust } from './channel-trust.js'
import { type RealmCacheProvider, realmCacheSpi } from './contract.js'
import { type Declaration, LocalCache, type Outside } from './local-cache.js'
import { type RealmCacheConfig, realmCacheConfig } from './rules.js'
import { decodeDeclarations, encodeDeclarations, TOPIC } from './wire.js'

/**
 * Caches of a cluster's nodes, each in its own process, that tell each other what is no longer true over the cluster's
 * work channel. A node that may have missed something asks the source.
 */
export function redisRealmCache(): ProviderFactory<RealmCacheProvider, RealmCacheConfig> {
  return {
    spi: realmCacheSpi,
    id: 'redis',
    dependsOn: [clusterSpi],
    config: realmCacheConfig,
    create: ({ clock, logger, get }, config) => {
      const cluster = get(clusterSpi)
      return new LocalCache(clock, logger, config, (cache) => new OtherNodes(cluster, clock, config, cache))
    },
  }
}

class OtherNodes implements Outside {
  readonly trust: ChannelTrust
  readonly #cluster: ClusterProvider
  readonly #stops: readonly (() => void)[]

  constructor(cluster: ClusterProvider, clock: Clock, { maxSilenceMs }: RealmCacheConfig, cache: LocalCache) {
    this.#cluster = cluster
    this.trust = new ChannelTrust(cluster, clock, maxSilenceMs, (event) => cache.tell(event))
    const empty = () => cache.clearHere('gap')
    this.#stops = [
      cluster.subscribe(
        TOPIC,
        (event) => {
          const declarations = decodeDeclarations(event)
          if (declarations === undefined) this.trust.missed('gap', empty)
          else if (declarations === 'everything') cache.clearHere('another-node')
          else cache.applyHere(declarations, 'another-node')
        },
        { onGap: () => this.trust.missed('gap', empty) },
      ),
      cluster.onChannelChange(() => this.trust.lookAgain()),
      // It may have changed the source and died before it could say so.
      cluster.onViewChange((_, { crashed }) => {
        if (crashed.length > 0) this.trust.missed('crash', empty)
      }),
    ]
  }

  async announce(declarations: readonly Declaration[] | 'everything'): Promise<void> {
    const events = encodeDeclarations(declarations)
    const told = await Promise.allSettled(
      events.map((event) => this.#cluster.publish(TOPIC, event, { scope: 'others' })),
    )
    for (const one of told) if (one.status === 'rejected') throw one.reason
  }

  /** Lets another node that wants the same load it first. What the cluster can not do is no reason not to load. */
  readonly queue: Outside['queue'] = async (region, key, load) => {
    let began = false
    try {
      await this.#cluster.runOnceOrWait(taskName(region, key), {}, async () => {
        began = true
        await load()
      })
    } catch (error) {
      if (began) throw error
    }
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop()
    this.trust.close()
  }
}

/** Of bounded length, whatever the names. */
function taskName(region: string, key: string): string {
  return `realm-cache:${createHash('sha256')
    .update(JSON.stringify([region, key]))
    .digest('base64url')}`
}
