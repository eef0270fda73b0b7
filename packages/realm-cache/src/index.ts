export * from './contract.js'
export { memoryRealmCache } from './memory.js'
export { type RealmCacheConfig, realmCacheConfig } from './rules.js'
