import { ConfigurationError, StoreUnavailableError } from '@authstate/spi'
import type { OpenConnection } from './connection.js'
import { layoutMistake, writtenLayout } from './layout.js'
import type { RedisConfig } from './options.js'

/**
 * Sees to it that a deployment is where a guest was led, and that its keys lie as the guest expects.
 *
 * @throws {StoreUnavailableError} there is none
 * @throws {ConfigurationError} it has another number of partitions, or another layout
 */
export async function expectDeployment(connection: OpenConnection, config: RedisConfig): Promise<void> {
  const layout = await connection.hgetall('redis.layout', connection.keys.shared('layout'))
  const { partitions, _v: version, raisedAt = 0 } = layout
  if (partitions === undefined) {
    throw new StoreUnavailableError(
      `redis: there is no deployment under prefix "${config.prefix}" yet: start its nodes first`,
      { applied: 'no' },
    )
  }
  const mistake = layoutMistake({ partitions: Number(partitions), version: Number(version) }, config)
  if (mistake !== undefined) throw new ConfigurationError(mistake)
  const recorded = { version: Number(version), raisedAt: Number(raisedAt) }
  connection.layoutOfOthers = writtenLayout(recorded, connection.clock.now())
}
