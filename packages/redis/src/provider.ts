import { defineSpi, type ProviderFactory } from '@authstate/spi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { openConnection } from './connect.js'
import type { RedisConnection } from './connection.js'
import { type RedisConfig, redisConfig } from './options.js'

/** The connection that Redis providers share, as an SPI of its own: they depend on it. */
export const redisConnectionSpi = defineSpi<RedisConnection>('redis')

/** Connects as the `redis` section of the configuration says, once some selected provider needs it. */
export function redisConnection(): ProviderFactory<RedisConnection, RedisConfig> {
  return {
    spi: redisConnectionSpi,
    // Not the name of an option: a section's properties may also stand under the provider's id.
    id: 'default',
    onDemand: true,
    config: toStandardJsonSchema(redisConfig),
    create: ({ logger, givenClock, node }, config) =>
      openConnection(config, { logger, clock: givenClock, node: node.name }),
  }
}
