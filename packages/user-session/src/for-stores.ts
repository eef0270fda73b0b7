/**
 * What the author of a store of user sessions needs: the port, the contract that is written over it, the schema of its
 * properties, and the rules that every store goes by.
 *
 * A provider is a factory whose `create` answers `new UserSessions(context, config, (parts) => yourStore)`. A store that reads
 * and writes whole sessions, such as a table, is `new RecordStore(parts, yourRecords)`.
 *
 * @module
 */
export type {
  CheckedClient,
  CheckedClientPatch,
  CheckedCopy,
  CheckedPatch,
  CheckedSession,
  CheckedSessionPage,
  Notes,
  NotesPatch,
} from './checks.js'
export { otherUser, STATES } from './checks.js'
export { type UserSessionConfig, userSessionConfig } from './config.js'
export type { Listeners } from './events.js'
export { clientLives, type Life, type Lives, userLives } from './expiry.js'
export { hasLimit, type Limits, makeRoom, type Newcomer, type Rival, type Room } from './limits.js'
export { FENCE_MS, TOKENS_FENCE_MS } from './moments.js'
export { mergeNotes } from './notes.js'
export { RecordStore } from './record-store.js'
export { decideRotation, earliestIssue, type Family, type RotationDecision } from './rotation.js'
export {
  type DecodeSession,
  type Detachment,
  decodeSession,
  type Ending,
  encodeSession,
  type Found,
  type ListedSession,
  type Listing,
  listingsOf,
  type Memo,
  type MemoResult,
  type SessionRecords,
  type StepReads,
  type StepResult,
} from './session-records.js'
export type {
  EndedIndex,
  Removal,
  SessionIndex,
  SessionName,
  SessionStep,
  SessionStore,
  StoreParts,
} from './store.js'
export {
  draft,
  dropClient,
  expiryOf,
  type Families,
  familiesOf,
  liveClient,
  openClient,
  patchClient,
  putClient,
  rememberFamily,
  type StoredClient,
  type StoredSession,
  settle,
  settleClient,
  snapshot,
} from './stored.js'
export { UserSessions } from './user-sessions.js'
