import { type KeySpace, type RedisConnection, redisConnectionSpi } from '@authstate/redis'
import { type Clock, describedSchema, type ProviderContext, type ProviderFactory } from '@authstate/spi'
import { assertNoProperties, stopwatchOf } from '@authstate/spi/internal'
import { type ClusterConfig, clusterConfig } from './config.js'
import { type ChannelStatus, type ClusterProvider, clusterSpi } from './contract.js'
import type { LeaseName, LeaseStore } from './leases.js'
import { LocalNode } from './local-node.js'
import { Announcing } from './redis/announcing.js'
import { Membership } from './redis/membership.js'
import { Publisher } from './redis/publisher.js'
import { ChannelReader } from './redis/reader.js'
import * as scripts from './scripts.js'
import type { Message, Transport } from './transport.js'

/** A cluster of the processes that use one Redis deployment. */
export function redisCluster(): ProviderFactory<ClusterProvider, ClusterConfig>
export function redisCluster(...given: unknown[]): ProviderFactory<ClusterProvider, ClusterConfig> {
  assertNoProperties(given, 'redisCluster', clusterSpi, 'redis')
  return {
    spi: clusterSpi,
    id: 'redis',
    dependsOn: [redisConnectionSpi],
    config: describedSchema(clusterConfig),
    create: (context, config) => join(context, config),
  }
}

/** How long the channel and the list of nodes outlive the last beat of the last node. */
const KEEP_MS = 3_600_000

async function join(context: ProviderContext, config: ClusterConfig): Promise<ClusterProvider> {
  let transport: RedisTransport | undefined
  const node = new LocalNode(context, config, (local) => {
    transport = new RedisTransport(context, config, local)
    return transport
  })
  try {
    await transport?.join()
  } catch (error) {
    await node.close()
    throw error
  }
  return node
}

class RedisTransport implements Transport {
  readonly leases: LeaseStore
  readonly #redis: RedisConnection
  readonly #publisher: Publisher
  readonly #reader: ChannelReader
  readonly #membership: Membership

  constructor(context: ProviderContext, config: ClusterConfig, node: LocalNode) {
    const { clock, logger } = context
    const redis = context.get(redisConnectionSpi)
    const watch = stopwatchOf(context)
    const partition = redis.keys.partitionFor('cluster')
    const keys = {
      cluster: redis.keys.key(partition, 'cl'),
      members: redis.keys.key(partition, 'cm'),
      senders: redis.keys.key(partition, 'cs'),
      events: redis.keys.key(partition, 'ce'),
    }
    const announcing = new Announcing(keys.events, redis.isCluster, logger)
    const keepMs = Math.max(KEEP_MS, 2 * config.deadAfterMs)
    this.#redis = redis
    this.leases = redisLeases(redis, clock, config.maxClockSkewMs)
    this.#publisher = new Publisher(redis, keys, node.node, config, keepMs, announcing, logger)
    this.#reader = new ChannelReader(redis, keys, node, { clock, watch, logger }, config, (version) =>
      this.#membership.notice(version),
    )
    this.#membership = new Membership({
      redis,
      keys,
      node,
      clock,
      watch,
      logger,
      config,
      keepMs,
      announcing,
      sent: () => this.#publisher.stored,
      onEnd: (end) => this.#reader.check(end),
    })
  }

  /** Listens first: what is said of this node's joining is not missed. */
  async join(): Promise<void> {
    await this.#reader.open()
    await this.#membership.join()
  }

  send(message: Message): Promise<void> {
    return this.#publisher.send(message)
  }

  refresh(): Promise<void> {
    return this.#membership.refresh()
  }

  channel(): ChannelStatus {
    return this.#reader.status
  }

  get trouble(): string | undefined {
    return this.#reader.trouble
  }

  get unreadable(): number {
    return this.#reader.unreadable + this.#membership.unreadable
  }

  startedAt(): number {
    return this.#membership.startedAt
  }

  checkHealth(): Promise<void> {
    return this.#redis.checkHealth()
  }

  async leave(): Promise<void> {
    await this.#publisher.close()
    await this.#membership.leave()
    await this.#reader.close()
  }
}

function redisLeases(redis: RedisConnection, clock: Clock, marginMs: number): LeaseStore {
  const { keys } = redis
  return {
    acquire: (name, owner, leaseMs, waits) =>
      redis.run(
        scripts.acquire,
        { lease: leaseKey(keys, name), fences: keys.key(keys.partitionFor(name.key), 'cf') },
        { owner, now: clock.now(), leaseMs, marginMs, waits: waits ? '1' : '0' },
      ),
    renew: (name, owner, leaseMs) =>
      redis.run(
        scripts.renew,
        { lease: leaseKey(keys, name) },
        { owner, now: clock.now(), leaseMs, marginMs },
      ),
    release: (name, owner) => redis.run(scripts.release, { lease: leaseKey(keys, name) }, { owner }),
  }
}

function leaseKey(keys: KeySpace, { kind, key }: LeaseName): string {
  return keys.key(keys.partitionFor(key), 'ck', kind, key)
}
