export type {
  AuditConfig,
  FileAuditConfig,
  MemoryAuditConfig,
  RedisAuditConfig,
} from './config.js'
export * from './contract.js'
export { type FileAuditOptions, fileAudit } from './file.js'
export { functionAudit, type TakeLines } from './function.js'
export { memoryAudit } from './memory.js'
