import { ConfigurationError } from '@authstate/spi'
import calculateSlot from 'cluster-key-slot'
import type { ClusterOptions, RedisOptions as IoredisOptions } from 'ioredis'
import { internals, type RedisClient } from './client.js'
import { ConnectDeadline } from './connect-deadline.js'
import { type ConnectorParts, Credentials, connectorAsking } from './credentials.js'
import { refusalOf } from './failure.js'
import { type Address, parseAddress, type RedisConfig } from './options.js'

const RETRY_MS = { first: 50, most: 2_000, mostSentinel: 400 }

/** A sentinel that does not answer sooner is passed over; below this no network is asked to be. */
const SENTINEL_MS = 250

/** A socket that does not end by itself is cut this long after its client was ended. */
const DISCONNECT_MS = 200

/**
 * Makes an ioredis client that keeps this library's guarantees: nothing in flight is ever sent a second time behind
 * the caller's back, and it fails as soon as its connection breaks.
 *
 * @param load Gives the parts of ioredis, 5.9 or later or 6.
 * @param given Options of a client for one server that win over all others.
 */
export async function makeClient(
  config: RedisConfig,
  deadline = new ConnectDeadline(config.connectTimeoutMs),
  load: () => Promise<Ioredis> = loadIoredis,
  given: IoredisOptions = {},
): Promise<RedisClient> {
  const { Redis, Cluster, ...parts } = await load()
  const common = { ...connectionOptions(config), ...(await credentialOptions(config, parts, deadline)) }
  // Twice the time-out after a failover all works again: one attempt that began too early, a pause, the next.
  const mostMs = Math.max(RETRY_MS.first, Math.min(RETRY_MS.most, config.commandTimeoutMs / 2))
  if (config.nodes) {
    const options: ClusterOptions = {
      ...config.ioredis,
      lazyConnect: true,
      // Commands wait for the connection to a node that is being made; without, a burst after a start fails.
      enableOfflineQueue: true,
      // Without 0 a Cluster repeats a command whose connection broke, whether or not it had been applied.
      retryDelayOnFailover: 0,
      scaleReads: 'master',
      clusterRetryStrategy: (attempt) => backOff(attempt, mostMs),
      clusterNodeRetryStrategy: null,
      // Nodes are asked one after the other: one that is silent must not use up all the time.
      slotsRefreshTimeout: Math.min(config.connectTimeoutMs, config.commandTimeoutMs),
      redisOptions: { ...(config.ioredis?.['redisOptions'] as IoredisOptions | undefined), ...common },
    }
    return new Cluster(
      config.nodes.map((node) => parseAddress(node, 6_379)),
      options,
    )
  }
  const options: IoredisOptions = {
    ...config.ioredis,
    ...common,
    ...NOTHING_TWICE,
    retryStrategy: (attempt) => backOff(attempt, mostMs),
    // A plain address can turn into a replica: connect again, so that the next command finds the master.
    reconnectOnError: (error) => refusalOf(error.message) === 'READONLY',
    ...(config.db !== undefined && { db: config.db }),
    ...(config.sentinels && {
      sentinels: config.sentinels.map((sentinel) => parseAddress(sentinel, 26_379)),
      name: config.name as string,
      // A pending attempt keeps the process alive after `close()`.
      sentinelRetryStrategy: (attempt) => backOff(attempt, Math.min(mostMs, RETRY_MS.mostSentinel)),
      sentinelCommandTimeout: Math.max(SENTINEL_MS, config.commandTimeoutMs / 4),
      // Without it ioredis leaves `tls` aside, and all is sent in the clear.
      enableTLSForSentinelMode: true,
      ...(config.sentinelTls && { sentinelTLS: config.sentinelTls === true ? {} : config.sentinelTls }),
      ...(config.sentinelUsername !== undefined && { sentinelUsername: config.sentinelUsername }),
      ...(config.sentinelPassword !== undefined && { sentinelPassword: config.sentinelPassword }),
    }),
    ...given,
  }
  // What comes first wins: a URL can carry options as well.
  return config.url === undefined
    ? new Redis(options)
    : new Redis(options, config.url.replace(/^unix:\/\//, ''))
}

/** Another client for where the application's one is connected to, which does not repeat what it was asked. */
export function duplicateClient(client: RedisClient, options: IoredisOptions = {}): RedisClient {
  const { duplicate } = client as Duplicable
  if (!client.isCluster) return duplicate.call(client, { ...NOTHING_TWICE, ...LEGACY, ...options })
  const redisOptions = { ...internals(client).options?.redisOptions, ...LEGACY }
  return duplicate.call(client, [], { lazyConnect: true, retryDelayOnFailover: 0, redisOptions })
}

/**
 * Another client for the master of a Cluster that has a key. It puts no prefix before what it is asked.
 *
 * @throws {Error} none is known to have it
 */
export function duplicateNode(cluster: RedisClient, key: string): RedisClient {
  const { slots, nodes } = internals(cluster)
  const [master] = slots?.[calculateSlot(key)] ?? []
  const node = nodes?.call(cluster, 'master').find((candidate) => {
    const { host, port } = internals(candidate).options ?? {}
    return `${host}:${port}` === master
  })
  if (node === undefined) throw new Error('no server of the Cluster is known to have the key')
  return (node as Duplicable).duplicate({
    ...NOTHING_TWICE,
    ...LEGACY,
    ...ENDS_WITH_ITS_CONNECTION,
    readOnly: false,
    keyPrefix: '',
  })
}

type Duplicable = RedisClient & { duplicate(...args: unknown[]): RedisClient }

/** For a client that its user replaces: one that is ended while it waits to connect again would never say that it has ended. */
export const ENDS_WITH_ITS_CONNECTION = { retryStrategy: () => null } satisfies IoredisOptions

// An application may prefer RESP3's shapes for itself; a reader's replies have those that ioredis always gave.
const LEGACY = { replyMapping: 'legacy' }

/** Ends a client that only this connection uses. It may still emit errors until its socket closes; they are ignored. */
export function endClient(client: RedisClient): void {
  client.on('error', () => {})
  const nodes = client.isCluster ? (internals(client).nodes?.('all') ?? []) : [client]
  // Nothing of ours is on its way on these, and a server that says nothing does not close them either.
  const unready = nodes.filter(({ status }) => status !== 'ready').map((node) => internals(node).stream)
  client.disconnect()
  for (const stream of unready) stream?.destroy?.()
}

/** Options of a client for one server that says at once when a command is lost, and leaves the rest to the caller. */
const NOTHING_TWICE = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
} satisfies IoredisOptions

function connectionOptions(config: RedisConfig): IoredisOptions {
  return {
    disconnectTimeout: DISCONNECT_MS,
    connectTimeout: config.connectTimeoutMs,
    autoResendUnfulfilledCommands: false,
    ...(config.username !== undefined && { username: config.username }),
    ...(config.password !== undefined && { password: config.password }),
    ...(config.tls !== undefined && config.tls !== false && { tls: config.tls === true ? {} : config.tls }),
  }
}

/** How a client gets credentials that change. */
async function credentialOptions(
  config: RedisConfig,
  parts: ConnectorParts,
  deadline: ConnectDeadline,
): Promise<IoredisOptions> {
  if (config.credentials === undefined) return {}
  if (parts.AbstractConnector === undefined || parts.SentinelConnector === undefined) {
    throw new ConfigurationError(
      'redis.credentials: needs ioredis 5.9 or later, but an older version is installed',
    )
  }
  const credentials = new Credentials(config.credentials, config.connectTimeoutMs)
  await credentials.askAhead(deadline.leftMs())
  return { ...credentials.options, ...connectorAsking(parts, credentials, config.sentinels !== undefined) }
}

/** Exponential with jitter, so that the nodes of a cluster do not come back in step. */
function backOff(attempt: number, mostMs: number): number {
  const delayMs = Math.min(mostMs, RETRY_MS.first * 2 ** Math.min(attempt, 16))
  return Math.ceil(delayMs * (0.5 + Math.random() / 2))
}

/** The two constructors as we call them: ioredis types them by reply mapping, which we leave alone. */
export interface Ioredis extends ConnectorParts {
  readonly Redis: new (...args: [options: IoredisOptions, url?: string]) => RedisClient
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
