import { defineService } from '@authstate/spi'
import { clusterSpi } from './contract.js'

/** What the rest of the house knows of cluster. */
export const clusterService = defineService({
  name: 'cluster',
  member: 'cluster',
  spi: clusterSpi,
  stores: {
    memory: async () => (await import('./memory.js')).memoryCluster(),
    redis: async () => (await import('./redis.js')).redisCluster(),
  },
  keys: {
    cl: 'the cluster',
    cm: 'nodes',
    cs: 'senders',
    ce: 'the work channel',
    ck: 'a lease',
    cf: 'fences',
    xw: 'what was said between this site and another',
  },
})

// What the front door shows of it.
export type { ClusterProvider } from './contract.js'
export { clusterSpi } from './contract.js'
