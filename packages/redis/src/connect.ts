import { hostname } from 'node:os'
import {
  assertOptions,
  type Clock,
  ConfigurationError,
  consoleLogger,
  type Known,
  type Logger,
  type NodeIdentity,
} from '@authstate/spi'
import { adviseOn } from './advice.js'
import { BATCH_SIZE, batchWrites } from './batch-writes.js'
import type { RedisClient } from './client.js'
import { ConnectDeadline } from './connect-deadline.js'
import { OpenConnection } from './connection.js'
import type { RedisConnection } from './contract.js'
import { connectsAgain, leaveReplica } from './demoted.js'
import { examineAtStart } from './doctor/at-start.js'
import { reasonOf } from './failure.js'
import { followClock } from './follow-clock.js'
import { expectDeployment } from './guest.js'
import { createKeySpace } from './key-space.js'
import {
  duplicateClient,
  duplicateNode,
  ENDS_WITH_ITS_CONNECTION,
  endClient,
  makeClient,
} from './make-client.js'
import { parseOptions, type RedisConfig, type RedisOptions, replicaTimeoutOf } from './options.js'
import { sayOutagesOnce } from './outages.js'
import { watchOutgoing } from './outgoing.js'
import { becomeReady } from './ready.js'
import { Replicas } from './replicas.js'
import { rightsToCheck } from './rights.js'
import { checkRights } from './scripts.js'
import { ServerWatch } from './server-watch.js'
import { watchSilence } from './silence.js'

/**
 * Connects to Redis: one server, Sentinel or Cluster, from a URL or options, or over a client of the application.
 *
 * Resolves when Redis has answered and the number of partitions agrees with what the deployment has recorded.
 *
 * @throws {ConfigurationError} the options cannot work, or the recorded number of partitions is another one
 * @throws {TypeError} `surroundings` has a property that is unknown; says what was probably meant
 * @throws {StoreUnavailableError} no connection, or no answer within `connectTimeoutMs`; names host and port, never a
 *   password
 */
export async function connect(
  target: string | RedisOptions,
  surroundings: ConnectionSurroundings = {},
): Promise<RedisConnection> {
  assertOptions(surroundings, 'surroundings', SURROUNDINGS)
  return openConnection(parseOptions(typeof target === 'string' ? { url: target } : target), surroundings)
}

/** What a connection is opened with, in addition to its options. */
export interface ConnectionSurroundings {
  /** @default warnings and errors to standard error */
  readonly logger?: Logger | undefined
  /** Taken as it is, and nothing is measured. @default the clock of the deployment */
  readonly clock?: Clock | undefined
  /** Name of this node, for the log. @default the host's name */
  readonly node?: string | undefined
  /**
   * Whether it leads into the deployment of others, such as that of another site. Then it claims nothing there, and names no consumer
   * of changes: it starts only where a deployment is, and follows its clock. @default false
   */
  readonly isGuest?: boolean | undefined
}

const SURROUNDINGS: Known<ConnectionSurroundings> = {
  logger: true,
  clock: true,
  node: true,
  isGuest: true,
}

/**
 * {@link connect} with options that were validated already.
 *
 * @param identity Named in reports of commands.
 */
export async function openConnection(
  config: RedisConfig,
  { logger = consoleLogger, clock, node = hostname(), isGuest = false }: ConnectionSurroundings,
  identity?: NodeIdentity,
): Promise<RedisConnection> {
  const owned = config.client === undefined
  const deadline = new ConnectDeadline(config.connectTimeoutMs)
  const client = config.client ?? (await makeClient(config, deadline))
  const { mayRepeat } = adviseOn(client, logger)
  const watch = () =>
    connectsAgain(client)
      ? watchSilence(client, { timeoutMs: config.commandTimeoutMs, holdMs: 0, isOurs: owned, logger })
      : () => {}
  // A Cluster has more nodes to try; one server has `connectTimeoutMs` to answer for the first time.
  let stopWatching = client.isCluster ? watch() : () => {}
  try {
    await becomeReady(client, config, deadline)
    if (!client.isCluster) stopWatching = watch()
  } catch (error) {
    stopWatching()
    if (owned) endClient(client)
    throw error
  }
  const batching = config.batchWrites ?? owned
  const releases = [
    stopWatching,
    sayOutagesOnce(client, logger),
    watchOutgoing(client, `${config.prefix}:`),
    ...(batching === false ? [] : [batchWrites(client, batching === true ? BATCH_SIZE : batching)]),
  ]
  const connection = new OpenConnection({
    client,
    keys: createKeySpace(config.prefix, config.partitions),
    commandTimeoutMs: config.commandTimeoutMs,
    mayRepeat,
    givenClock: clock,
    logger,
    node: identity,
    onFailure: (error) => leaveReplica(client, error),
    makeReader: (holdMs, reconnects) => openReader(client, config, logger, holdMs, reconnects),
    makeListener: (key) => openListener(client, config, logger, key),
    end: () => {
      for (const release of releases) release()
      if (owned) endClient(client)
    },
  })
  try {
    // First: everything else may carry the time.
    if (clock === undefined) releases.push(await followClock(connection, { client, logger, node }))
    if (isGuest) {
      await expectDeployment(connection, config)
      return connection
    }
    await expectRights(connection, config)
    const server = new ServerWatch({ connection, client, config, logger })
    releases.push(() => server.close())
    await server.start()
    await examineAtStart({ client, config, clock: connection.clock, logger })
    // Not before: a node also starts while a replica is away.
    if (config.minReplicas > 0) {
      const { minReplicas } = config
      await connection.waitFor(
        new Replicas(client, { minReplicas, replicaTimeoutMs: replicaTimeoutOf(config) }),
      )
    }
  } catch (error) {
    await connection.close()
    throw error
  }
  return connection
}

/** @throws {ConfigurationError} names every right that the user of Redis lacks */
async function expectRights(connection: RedisConnection, { prefix, changes }: RedisConfig): Promise<void> {
  const layout = connection.keys.shared('layout')
  const commands = rightsToCheck(layout, changes.consumers.length > 0)
  const refused = new Set(
    await connection.run(checkRights, { layout }, { commands: JSON.stringify(commands) }),
  )
  if (refused.size === 0) return
  const withKeys = commands.filter(({ length }) => length === 2)
  const rights = withKeys.every(([name = '']) => refused.has(name))
    ? [`~${prefix}:*`]
    : [...refused].map((name) => `+${name}`)
  throw new ConfigurationError(
    `redis: the user of Redis lacks rights on the keys under prefix "${prefix}": add ${rights.join(' ')}, see docs/acl.md`,
  )
}

/** A second connection to the same deployment, for commands that block. */
async function openReader(
  client: RedisClient,
  config: RedisConfig,
  logger: Logger,
  holdMs?: number,
  reconnects = true,
): Promise<RedisClient> {
  const options = reconnects ? {} : ENDS_WITH_ITS_CONNECTION
  const deadline = new ConnectDeadline(config.connectTimeoutMs)
  const reader =
    config.client === undefined
      ? await makeClient(config, deadline, undefined, options)
      : duplicateClient(client, options)
  return watched(reader, config, deadline, logger, holdMs)
}

/** A connection that subscribes, to the server that has a key. */
async function openListener(
  client: RedisClient,
  config: RedisConfig,
  logger: Logger,
  key: string,
): Promise<RedisClient> {
  const deadline = new ConnectDeadline(config.connectTimeoutMs)
  const options = { ...ENDS_WITH_ITS_CONNECTION, keyPrefix: '' }
  const listener = client.isCluster
    ? duplicateNode(client, key)
    : config.client === undefined
      ? await makeClient(config, deadline, undefined, options)
      : duplicateClient(client, options)
  return watched(listener, config, deadline, logger)
}

/** Waits until a connection of its own is ready, and looks after it as long as it lasts. */
async function watched(
  reader: RedisClient,
  config: RedisConfig,
  deadline: ConnectDeadline,
  logger: Logger,
  holdMs?: number,
): Promise<RedisClient> {
  reader.on('error', (error: Error) => {
    logger.debug({ reason: reasonOf(error) }, 'the reading connection to Redis failed; trying again')
  })
  watchOutgoing(reader, `${config.prefix}:`)
  const stop = watchSilence(reader, { timeoutMs: config.commandTimeoutMs, holdMs, isOurs: true, logger })
  reader.on('end', stop)
  try {
    await becomeReady(reader, config, deadline)
  } catch (error) {
    stop()
    endClient(reader)
    throw error
  }
  return reader
}
