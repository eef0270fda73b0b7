import { createHash } from 'node:crypto'
import { type ClusterProvider, clusterSpi } from '@authstate/cluster'
import { type RedisConnection, redisConnectionSpi } from '@authstate/redis'
import {
  ConfigurationError,
  describedSchema,
  type ProviderContext,
  type ProviderFactory,
} from '@authstate/spi'
import { assertNoProperties, stopwatchOf } from '@authstate/spi/internal'
import { Sealer } from '@authstate/spi/sealing'
import { ChannelFreshness } from './channel-freshness.js'
import { type RealmCacheConfig, type RegionSettings, realmCacheConfig } from './config.js'
import { type RealmCacheProvider, realmCacheSpi } from './contract.js'
import { answerFigures } from './figures.js'
import { LocalCache } from './local-cache.js'
import { SharedRegion } from './redis/shared-region.js'
import { SharedValues } from './redis/shared-values.js'
import type { SecondLevel } from './second-level.js'
import type { Declaration, Transport } from './transport.js'
import { decodeDeclarations, encodeDeclarations, TOPIC } from './wire.js'

/**
 * Caches of a cluster's nodes, each in its own process, that tell each other what is no longer true over the cluster's
 * work channel. A node that may have missed something asks the source.
 */
export function redisRealmCache(): ProviderFactory<RealmCacheProvider, RealmCacheConfig>
export function redisRealmCache(...given: unknown[]): ProviderFactory<RealmCacheProvider, RealmCacheConfig> {
  assertNoProperties(given, 'redisRealmCache', realmCacheSpi, 'redis')
  return {
    spi: realmCacheSpi,
    id: 'redis',
    dependsOn: [clusterSpi],
    uses: [redisConnectionSpi],
    config: describedSchema(realmCacheConfig),
    create: (context, config) => {
      const make = (cache: LocalCache) => new ClusterTransport(context, config, cache)
      return new LocalCache(context.clock, context.logger, config, make)
    },
  }
}

class ClusterTransport implements Transport {
  readonly freshness: ChannelFreshness
  readonly #context: ProviderContext
  readonly #cluster: ClusterProvider
  readonly #redis: RedisConnection | undefined
  readonly #sealer: Sealer | undefined
  readonly #stops: readonly (() => void)[]

  constructor(context: ProviderContext, { maxSilenceMs, regions }: RealmCacheConfig, cache: LocalCache) {
    const { clock, keyring } = context
    const cluster = context.get(clusterSpi)
    this.#context = context
    this.#cluster = cluster
    this.#redis = context.find(redisConnectionSpi)
    this.#sealer = keyring && new Sealer(keyring, 'realm-cache second level')
    const wanted = Object.values(regions).some(({ secondLevelTtlMs = 0 }) => secondLevelTtlMs > 0)
    if (wanted && this.#redis === undefined) {
      throw new ConfigurationError('realm-cache: "secondLevelTtlMs" needs a connection to Redis ("redis")')
    }
    this.freshness = new ChannelFreshness(
      cluster,
      { clock, watch: stopwatchOf(context) },
      maxSilenceMs,
      (event) => cache.tell(event),
    )
    const empty = () => cache.clearHere('gap')
    this.#stops = [
      cluster.subscribe(
        TOPIC,
        (event) => {
          const declarations = decodeDeclarations(event)
          if (declarations === undefined) this.freshness.missed('gap', empty)
          else if (declarations === 'everything') cache.clearHere('another-node')
          else cache.applyHere(declarations, 'another-node')
        },
        { onGap: () => this.freshness.missed('gap', empty) },
      ),
      answerFigures(cluster, () =>
        cache.regions().map((name) => [name, cache.region(name).stats()] as const),
      ),
      cluster.onChannelChange(() => this.freshness.checkAgain()),
      // It may have changed the source and died before it could say so.
      cluster.onViewChange((_, { crashed }) => {
        if (crashed.length > 0) this.freshness.missed('crash', empty)
      }),
    ]
  }

  async announce(declarations: readonly Declaration[] | 'everything'): Promise<void> {
    const events = encodeDeclarations(declarations)
    const outcomes = await Promise.allSettled(
      events.map((event) => this.#cluster.publish(TOPIC, event, { scope: 'others' })),
    )
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  secondLevel(name: string, { secondLevelTtlMs }: RegionSettings, inDoubt: boolean): SecondLevel | undefined {
    if (secondLevelTtlMs === 0) return undefined
    const { clock, logger } = this.#context
    if (this.#redis === undefined) {
      logger.warn({ region: name }, 'realm-cache: without a connection to Redis there is no second level')
      return undefined
    }
    return new SharedRegion({
      name,
      ttlMs: secondLevelTtlMs,
      redis: this.#redis,
      clock,
      watch: stopwatchOf(this.#context),
      logger,
      values: new SharedValues(name, this.#sealer),
      // The last node may have died between a change and the word of it: nobody is left who knows.
      inDoubt: inDoubt || this.#cluster.view().nodes.length <= 1,
    })
  }

  /** Lets another node that wants the same load it first. What the cluster cannot do is no reason not to load. */
  readonly queue: Transport['queue'] = async (region, key, load) => {
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
    this.freshness.close()
  }
}

/** Of bounded length, whatever the names. */
function taskName(region: string, key: string): string {
  return `realm-cache:${createHash('sha256')
    .update(JSON.stringify([region, key]))
    .digest('base64url')}`
}
