import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { openConnection } from './connect.js'
import { type RedisConnection, redisConnectionSpi } from './contract.js'
import { type RedisConfig, redisConfig } from './options.js'

/** Connects as the `redis` section of the configuration says, once some selected provider needs it. */
export function redisConnection(): ProviderFactory<RedisConnection, RedisConfig>
export function redisConnection(...given: unknown[]): ProviderFactory<RedisConnection, RedisConfig> {
  assertNoProperties(given, 'redisConnection', redisConnectionSpi, 'default')
  return {
    spi: redisConnectionSpi,
    // Not the name of an option: a section's properties may also stand under the provider's id.
    id: 'default',
    onDemand: true,
    config: describedSchema(redisConfig),
    create: ({ logger, givenClock, node }, config) =>
      openConnection(config, { logger, clock: givenClock, node: node.name }, node),
  }
}
