import { isError } from '@authstate/spi/internal'
import { internals, type RedisClient } from './client.js'
import { refusalOf } from './failure.js'

/**
 * Leaves a server that has turned into a replica: its address may lead to the next master by now. Clients that we make do so by
 * themselves, and on a Cluster the nodes say where to go.
 */
export function leaveReplica(client: RedisClient, error: unknown): void {
  if (client.isCluster || client.status !== 'ready' || !isError(error)) return
  if (refusalOf(error.message) !== 'READONLY' || !connectsAgain(client)) return
  client.disconnect(true)
}

/** Whether a client comes back by itself when its connection breaks. */
export function connectsAgain(client: RedisClient): boolean {
  const { retryStrategy, clusterRetryStrategy } = internals(client).options ?? {}
  return typeof (client.isCluster ? clusterRetryStrategy : retryStrategy) === 'function'
}
