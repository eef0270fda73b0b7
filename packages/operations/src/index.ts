export type { AuditOperations } from './audit.js'
export type { CacheOperations, NodeCaches } from './caches.js'
export type { ClusterOperations, NodeRow, NodesView } from './cluster.js'
export { createOperations } from './create-operations.js'
export type { FailureOperations, FailureSubject, FailureView } from './failures.js'
export type { Operations, OperationsOptions } from './operations.js'
export type { SessionKind } from './references.js'
export type {
  ClientRow,
  Ended,
  EndOptions,
  SessionCounts,
  SessionDetails,
  SessionFilter,
  SessionOperations,
  SessionRow,
  SessionTarget,
} from './session-verbs.js'
export type { SiteOperations, SitesView } from './sites.js'
export type { TokenOperations, TokenRow } from './tokens.js'
