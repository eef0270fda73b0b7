export { batchWrites } from './batch-writes.js'
export type { Annotation, Asked, Declared, How, Wanted } from './changes/annotations.js'
export { annotationsOf } from './changes/annotations.js'
export type { ChangeConsumer, RecordedConsumers } from './changes/consumers.js'
export { Noting, recordedAs } from './changes/consumers.js'
export type {
  ChangeGap,
  ChangeHandlers,
  ChangeNote,
  ChangeReaderOptions,
  ChangeReaderStats,
  ChangeReading,
  EndedClient,
  EndedSession,
} from './changes/contract.js'
export type { RedisClient } from './client.js'
export { COMMAND_CHANNEL, type PlainCommand, type RedisCommand } from './command.js'
export { concealError } from './conceal.js'
export { type ConnectionSurroundings, connect } from './connect.js'
export type { ConnectionStats, RedisConnection, ScriptCall } from './contract.js'
export { redisConnectionSpi } from './contract.js'
export type { CredentialsSource, RedisCredentials } from './credentials.js'
export { refusalText } from './failure.js'
export { type EntriesReply, type EntriesStep, firstEntries } from './first-entries.js'
export type { Snippets } from './include.js'
export {
  createKeySpace,
  escapePart,
  KEY_GRACE_MS,
  type KeySpace,
  MAX_PARTITIONS,
  unescapePart,
} from './key-space.js'
export { LAYOUT_VERSION } from './layout.js'
export { describeMistake, type SchemaIssue } from './mistakes.js'
export { type RedisConfig, type RedisOptions, redisConfig } from './options.js'
export { redisConnection } from './provider.js'
export { missingRight } from './rights.js'
export { type Change, defineScript, type Script, type ScriptArgs, type ScriptDefinition } from './script.js'
export { redisService } from './service.js'
export {
  type ChangedRecord,
  type ConnectionSites,
  type DecideOptions,
  type DecidingSite,
  followedBySites,
  followedVerbs,
  type JoinAnswer,
  type JoinedAnswers,
  type JoinOutcome,
  type NamesCursor,
  type NamesPage,
  type SiteConflict,
  type SiteDeciders,
  type SiteFigures,
  type SiteFinding,
  type SiteJoiner,
  type SiteTerms,
  type SiteVerb,
  type SiteVerbs,
  type SiteWatch,
  type StateAbout,
  type SumsPage,
  sumsPageOf,
} from './sites.js'
