/**
 * What the author of a sink needs.
 *
 * @module
 */
export { AuditLog } from './audit-log.js'
export { type AuditConfig, functionAuditConfig as auditConfig } from './config.js'
export type { AuditStore, Following, Scan, StoredLine } from './store.js'
