export * from './contract.js'
export { memoryCluster } from './memory.js'
export { type ClusterConfig, clusterConfig } from './rules.js'
