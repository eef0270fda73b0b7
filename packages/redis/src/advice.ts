import { ConfigurationError, type Logger } from '@authstate/spi'
import { internals, type RedisClient } from './client.js'
import { connectsAgain } from './demoted.js'

/** What follows from the options of a client. */
export interface Advice {
  /** Whether the client sends a command again when its connection broke, applied or not. */
  readonly mayRepeat: boolean
}

/**
 * Looks at the options of a client: those that break a guarantee cannot be changed from here, only reported.
 *
 * @throws {ConfigurationError} replies would be of other types than this library reads
 */
export function adviseOn(client: RedisClient, logger: Logger): Advice {
  const options = internals(client).options ?? {}
  const node = client.isCluster ? (options.redisOptions ?? {}) : options
  if (node.stringNumbers) {
    throw new ConfigurationError('redis.client: its option "stringNumbers" must be off')
  }
  if (options.sentinels && options.tls && !options.enableTLSForSentinelMode) {
    throw new ConfigurationError(
      'redis.client: with sentinels its option "tls" has no effect unless "enableTLSForSentinelMode" is set: passwords and ' +
        'sessions would be sent unencrypted',
    )
  }
  const warn = (option: string, text: string) => logger.warn({ option }, `the given Redis client ${text}`)

  // A node of a Cluster is not connected again, so nothing is sent to it again, unless a strategy says so.
  const resends = node.autoResendUnfulfilledCommands !== false
  const reconnects = !client.isCluster || typeof options.clusterNodeRetryStrategy === 'function'
  if (resends && reconnects) {
    warn(
      'autoResendUnfulfilledCommands',
      'sends commands again after a reconnect: a count can be taken twice; set it to false',
    )
  }
  const retries = client.isCluster && options.retryDelayOnFailover !== 0
  if (retries) {
    warn(
      'retryDelayOnFailover',
      'repeats commands whose connection broke: a count can be taken twice; set it to 0',
    )
  }
  if (!connectsAgain(client)) {
    warn(
      client.isCluster ? 'clusterRetryStrategy' : 'retryStrategy',
      'does not connect again: once its server is silent, lost or a replica, no call succeeds any more; let it return a number',
    )
  }
  if (options.sentinels && typeof options.sentinelCommandTimeout !== 'number') {
    warn(
      'sentinelCommandTimeout',
      'waits without end for a sentinel that went silent, and does not find the next master meanwhile; set it',
    )
  }
  if (client.isCluster && options.scaleReads !== undefined && options.scaleReads !== 'master') {
    warn('scaleReads', 'reads from replicas: what was written may not be seen yet; set it to "master"')
  }
  if (options.enableAutoPipelining) {
    // ioredis before 5.11 sends an auto-pipelined script to the wrong node of a Cluster; later ones only make it slower.
    const ignored = options.autoPipeliningIgnoredCommands ?? []
    options.autoPipeliningIgnoredCommands = [...new Set([...ignored, 'evalsha', 'eval'])]
  }
  return { mayRepeat: (resends && reconnects) || retries }
}
