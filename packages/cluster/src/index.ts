export { type ClusterConfig, clusterConfig } from './config.js'
export * from './contract.js'
export { memoryCluster } from './memory.js'
export { clusterService } from './service.js'
