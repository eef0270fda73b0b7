/**
 * What the author of a store of web sessions needs: the port, the contract that is written over it, the schema of its
 * properties, and the rules that every store goes by.
 *
 * A provider is a factory whose `create` answers `new WebSessions(context, config, yourStore)`.
 *
 * @module
 */
export { type WebSessionConfig, webSessionConfig } from './config.js'
export {
  afterRemoval,
  applySave,
  applyUpdate,
  bytesOf,
  digestOf,
  type EndedGeneration,
  type EndedSession,
  EXPIRED_MS,
  type Fields,
  fieldsOf,
  isBehind,
  isOver,
  jsonOf,
  livingIn,
  MAX_ENDED,
  mergeFields,
  NO_SLOT,
  type SaveConditions,
  type SaveReply,
  type SessionChange,
  type SessionDraft,
  type SessionHead,
  type SessionRecord,
  type SignIn,
  type Slot,
  type SlotStep,
  type StepTime,
  type StoredSession,
  type UpdateReply,
} from './rules.js'
export type { Removal, SessionIndex, SessionName, SessionPage, WebSessionStore } from './store.js'
export { WebSessions } from './web-sessions.js'
