import { defineService } from '@authstate/spi'
import { auditSpi } from './contract.js'

/** What the rest of the house knows of the audit. It is no part of the front door: an application adds its provider. */
export const auditService = defineService({
  name: 'audit',
  spi: auditSpi,
  stores: {
    memory: async () => (await import('./memory.js')).memoryAudit(),
    redis: async () => (await import('./redis.js')).redisAudit(),
    file: async () => (await import('./file.js')).fileAudit(),
  },
  stats: (provider) => provider.stats(),
})

export { auditSpi } from './contract.js'
