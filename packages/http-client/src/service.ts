import { defineService } from '@authstate/spi'
import { httpClientSpi } from './contract.js'

/** What the rest of the house knows of http-client. It is no part of the front door: an application adds its provider. */
export const httpClientService = defineService({
  name: 'http-client',
  spi: httpClientSpi,
  stores: {
    undici: async () => (await import('./undici.js')).undiciHttpClient(),
  },
  stats: (provider) => provider.stats(),
})

export { httpClientSpi } from './contract.js'
