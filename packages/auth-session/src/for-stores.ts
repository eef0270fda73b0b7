/**
 * What the author of a store of authentication sessions needs: the port, the contract that is written over it, the schema of
 * its properties, and the rules that every store goes by.
 *
 * A provider is a factory whose `create` answers `new AuthSessions(context, config, yourStore)`. A store that reads and writes
 * whole records, such as a table, is `new RecordStore(yourRecords)`.
 *
 * @module
 */
export { AuthSessions } from './auth-sessions.js'
export { type AuthSessionConfig, authSessionConfig } from './config.js'
export {
  type EndOfRoot,
  RecordStore,
  type RootRecord,
  type RootRecords,
  type StepResult,
  type TabRecord,
} from './record-store.js'
export {
  MAPS,
  mergeTabData,
  notesBytesOf,
  type TabData,
  type TabDataPatch,
  type TabHead,
  tabOf,
} from './rules.js'
export type {
  AuthSessionStore,
  PatchOptions,
  PatchOutcome,
  RemovalOutcome,
  RootLife,
  RootName,
  TabDraft,
  TabRest,
} from './store.js'
