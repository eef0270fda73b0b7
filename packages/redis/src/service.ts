import { defineService } from '@authstate/spi'
import { redisConnectionSpi } from './contract.js'

/** What the rest of the house knows of the connection. */
export const redisService = defineService({
  name: 'redis',
  spi: redisConnectionSpi,
  stores: { default: async () => (await import('./provider.js')).redisConnection() },
  onDemand: true,
  stats: (connection) => connection.stats(),
})

export { redisConnectionSpi } from './contract.js'
