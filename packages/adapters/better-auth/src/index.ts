/**
 * Secondary storage for better-auth over the sessions and tokens of authstate, whose lists of sessions are exact and whose
 * revocations stay, and a lock-out per account.
 *
 * @module
 */
export { type LockoutOptions, type LockoutPlugin, type LockoutState, lockout } from './lockout.js'
export type { StorageOptions, StorageState } from './options.js'
export type { SessionFields } from './shapes.js'
export { type SecondaryStorage, type StorageCounts, secondaryStorage, type UserSession } from './storage.js'
