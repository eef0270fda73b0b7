export { type RealmCacheConfig, realmCacheConfig } from './config.js'
export * from './contract.js'
export {
  type ClientChange,
  cacheKeys,
  cacheTags,
  type EntityChange,
  fanOut,
  type GroupChange,
  type RealmChange,
  type RoleChange,
  type UserChange,
} from './fan-out.js'
export { type AskedFigures, type AskFiguresOptions, askFigures, type NodeFigures } from './figures.js'
export { memoryRealmCache } from './memory.js'
export {
  type KeyLoader,
  type LoadedKeys,
  type PublicKey,
  PublicKeys,
  type PublicKeysOptions,
} from './public-keys.js'
export { realmCacheService } from './service.js'
