import { defineService } from '@authstate/spi'
import { hostnameSpi } from './contract.js'

/** What the rest of the house knows of hostname. It is no part of the front door: an application adds its provider. */
export const hostnameService = defineService({
  name: 'hostname',
  spi: hostnameSpi,
  stores: {
    default: async () => (await import('./default.js')).defaultHostname(),
    fixed: async () => (await import('./fixed.js')).fixedHostname(),
  },
  stats: (provider) => provider.stats(),
})

export { hostnameSpi } from './contract.js'
