import {
  ConfigurationError,
  consoleLogger,
  type Logger,
  ProviderClosedError,
  StoreUnavailableError,
} from '@authstate/spi'
import { BATCH_SIZE, batchWrites } from './batch-writes.js'
import { internals, type RedisClient } from './client.js'
import { concealCommands, concealError, concealPrefix } from './conceal.js'
import { OpenConnection, type RedisConnection } from './connection.js'
import { createKeySpace } from './key-space.js'
import { makeClient } from './make-client.js'
import { describeTarget, type RedisConfig, type RedisOptions, redisConfig } from './options.js'
import { claimLayout } from './scripts.js'

/** Version of the key layout; a node that meets another one stops. */
export const LAYOUT_VERSION = 1

/**
 * Connects to Redis: one server, Sentinel or Cluster, from a URL or options, or over a client of the application.
 *
 * Resolves when Redis has answered and the number of partitions agrees with what the deployment has recorded.
 *
 * @throws {ConfigurationError} the options can not work, or the recorded number of partitions is another one
 * @throws {StoreUnavailableError} no answer within `connectTimeoutMs`; names host and port, never a password
 */
export async function connect(
  target: string | RedisOptions,
  { logger = consoleLogger }: { readonly logger?: Logger } = {},
): Promise<RedisConnection> {
  const parsed = redisConfig.safeParse(typeof target === 'string' ? { url: target } : target)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${['redis', ...path].join('.')}: ${message}`,
    )
    throw new ConfigurationError(problems.join('; '))
  }
  return openConnection(parsed.data, logger)
}

/** {@link connect} with options that were validated already. */
export async function openConnection(config: RedisConfig, logger: Logger): Promise<RedisConnection> {
  const owned = config.client === undefined
  const client = config.client ?? (await makeClient(config))
  if (!owned) adviseOn(client, logger)
  concealPrefix(config.prefix)
  concealCommands(client)
  const batching = config.batchWrites ?? owned
  if (batching !== false) batchWrites(client, batching === true ? BATCH_SIZE : batching)
  const connection = new OpenConnection({
    client,
    keys: createKeySpace(config.prefix, config.partitions),
    logger,
    commandTimeoutMs: config.commandTimeoutMs,
    owned,
    makeReader: () => openReader(client, config, logger),
  })
  try {
    await becomeReady(client, config)
    await claimPartitions(connection, config)
  } catch (error) {
    await connection.close()
    throw error
  }
  return connection
}

async function becomeReady(client: RedisClient, config: RedisConfig): Promise<void> {
  if (client.status === 'ready') return
  let last: Error | undefined
  const onError = (error: Error) => {
    last = error
  }
  client.on('error', onError)
  let timer: NodeJS.Timeout | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('no answer')), config.connectTimeoutMs)
      client.on('ready', resolve)
      client.on('end', () => reject(last ?? new Error('the client was ended')))
      if (client.status === 'wait') {
        client.connect().then(resolve, (error: Error) => {
          // The reason comes as an event, around this rejection.
          setImmediate(() => reject(last ?? error))
        })
      }
    })
  } catch (error) {
    const cause = concealError(last ?? error) as Error & { code?: string }
    const reason = cause.code ?? /^\[?([A-Z]{4,})\b/.exec(cause.message)?.[1] ?? cause.message
    throw new StoreUnavailableError(
      `redis: could not connect to ${describeTarget(config)} within ${config.connectTimeoutMs} ms (${reason})`,
      { cause, applied: 'no' },
    )
  } finally {
    clearTimeout(timer)
    client.off('error', onError)
  }
}

async function claimPartitions(connection: RedisConnection, config: RedisConfig): Promise<void> {
  const recorded = await connection.run(
    claimLayout,
    { layout: connection.keys.shared('layout') },
    { partitions: config.partitions, version: LAYOUT_VERSION },
  )
  if (recorded.version !== LAYOUT_VERSION) {
    throw new ConfigurationError(
      `redis: the keys under prefix "${config.prefix}" have layout ${recorded.version}, this version reads ${LAYOUT_VERSION}`,
    )
  }
  if (recorded.partitions !== config.partitions) {
    throw new ConfigurationError(
      `redis.partitions: this node is configured with ${config.partitions}, the deployment under prefix ` +
        `"${config.prefix}" has ${recorded.partitions}; the number can not change while it holds data`,
    )
  }
}

/** A second connection to the same deployment, for commands that block. */
async function openReader(client: RedisClient, config: RedisConfig, logger: Logger): Promise<RedisClient> {
  const reader =
    config.client === undefined
      ? await makeClient(config)
      : (client as RedisClient & { duplicate(): RedisClient }).duplicate()
  reader.on('error', (error: Error & { code?: string }) => {
    logger.debug({ code: error.code ?? error.name }, 'the reading connection to Redis failed; trying again')
  })
  try {
    await becomeReady(reader, config)
  } catch (error) {
    reader.disconnect()
    throw error instanceof Error ? error : new ProviderClosedError('redis: the connection is closed')
  }
  return reader
}

/** Options of a given client that break a guarantee can not be changed from here, only told. */
function adviseOn(client: RedisClient, logger: Logger): void {
  const { options } = internals(client)
  const node = client.isCluster ? options?.redisOptions : options
  if (node?.autoResendUnfulfilledCommands !== false) {
    logger.warn(
      { option: 'autoResendUnfulfilledCommands' },
      'the given client sends commands again after a reconnect: a count can be taken twice; set it to false',
    )
  }
  if (options?.enableOfflineQueue !== false) {
    logger.warn(
      { option: 'enableOfflineQueue' },
      'the given client queues commands while Redis is away: calls wait until their deadline; set it to false',
    )
  }
  if (client.isCluster && options?.retryDelayOnFailover !== 0) {
    logger.warn(
      { option: 'retryDelayOnFailover' },
      'the given Cluster client repeats commands whose connection broke: a count can be taken twice; set it to 0',
    )
  }
  if (options?.enableAutoPipelining) {
    // ioredis before 5.11 sends an auto-pipelined script to the wrong node of a Cluster, and it is slower than one by one.
    options.autoPipeliningIgnoredCommands = [
      ...(options.autoPipeliningIgnoredCommands ?? []),
      'evalsha',
      'eval',
    ]
  }
}
