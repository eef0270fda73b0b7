import { ConfigurationError } from '@authstate/spi'
import type { ClusterOptions, RedisOptions as IoredisOptions } from 'ioredis'
import type { RedisClient } from './client.js'
import { type Address, parseAddress, type RedisConfig } from './options.js'

const RETRY_MS = { first: 50, most: 2_000 }

/**
 * Makes an ioredis client that keeps this library's guarantees: commands fail at once while there is no
 * connection, and nothing in flight is ever sent a second time behind the caller's back.
 */
export async function makeClient(config: RedisConfig): Promise<RedisClient> {
  const { Redis, Cluster } = await loadIoredis()
  const common = connectionOptions(config)
  if (config.nodes) {
    const options: ClusterOptions = {
      ...config.ioredis,
      lazyConnect: true,
      enableOfflineQueue: false,
      // Without 0 a Cluster repeats a command whose connection broke, whether or not it had been applied.
      retryDelayOnFailover: 0,
      clusterRetryStrategy: backOff,
      slotsRefreshTimeout: config.connectTimeoutMs,
      redisOptions: common,
    }
    return new Cluster(
      config.nodes.map((node) => parseAddress(node, 6_379)),
      options,
    )
  }
  const options: IoredisOptions = {
    ...config.ioredis,
    ...common,
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: null,
    retryStrategy: backOff,
    // A plain address can turn into a replica: connect again, so that the next command finds the master.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    ...(config.db !== undefined && { db: config.db }),
    ...(config.sentinels && {
      sentinels: config.sentinels.map((sentinel) => parseAddress(sentinel, 26_379)),
      name: config.name as string,
      sentinelRetryStrategy: backOff,
      ...(config.sentinelUsername !== undefined && { sentinelUsername: config.sentinelUsername }),
      ...(config.sentinelPassword !== undefined && { sentinelPassword: config.sentinelPassword }),
    }),
  }
  return config.url === undefined ? new Redis(options) : new Redis(config.url, options)
}

function connectionOptions(config: RedisConfig): IoredisOptions {
  return {
    connectTimeout: config.connectTimeoutMs,
    autoResendUnfulfilledCommands: false,
    ...(config.username !== undefined && { username: config.username }),
    ...(config.password !== undefined && { password: config.password }),
    ...(config.tls !== undefined && config.tls !== false && { tls: config.tls === true ? {} : config.tls }),
  }
}

/** Exponential with jitter, so that the nodes of a cluster do not come back in step. */
export function backOff(attempt: number): number {
  const most = Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** Math.min(attempt, 16))
  return Math.ceil(most * (0.5 + Math.random() / 2))
}

/** The two constructors as we call them: ioredis types them by reply mapping, which we leave alone. */
interface Ioredis {
  readonly Redis: new (...args: [IoredisOptions] | [string, IoredisOptions]) => RedisClient
  readonly Cluster: new (nodes: readonly Address[], options: ClusterOptions) => RedisClient
}

async function loadIoredis(): Promise<Ioredis> {
  try {
    return (await import('ioredis')) as unknown as Ioredis
  } catch (cause) {
    throw new ConfigurationError('redis: the package "ioredis" is not installed; run: npm install ioredis', {
      cause,
    })
  }
}
