export type { Answer } from './answer.js'
export {
  assertBoolean,
  assertFunction,
  assertInstant,
  assertInteger,
  assertName,
  assertNames,
  assertNotes,
  assertNotesPatch,
  assertObject,
  assertOneOf,
  assertOptionalName,
  assertPastInstant,
  assertSpanMs,
  assertText,
} from './assert.js'
export { type Clock, microsecondsOf, systemClock, uncertaintyOf } from './clock.js'
export { type Duration, parseDuration } from './duration.js'
export { Emitter, type EmitterOptions, type EventOf } from './emitter.js'
export {
  ConfigurationError,
  ConflictError,
  IncompleteError,
  isProviderError,
  LoaderTimeoutError,
  ProviderClosedError,
  ProviderError,
  type ProviderErrorCode,
  StoreCorruptError,
  StoreUnavailableError,
  type StoreUnavailableOptions,
} from './errors.js'
export { isExpired } from './expiry.js'
export { createIdMinter, type MintId, partitionOf, randomId } from './ids.js'
export { jsonMap } from './json-map.js'
export { type DescribedSchema, describedSchema } from './json-schema.js'
export { assertJson, type JsonValue } from './json-value.js'
export type { Keyring } from './keyring.js'
export { assertKnown, assertOptions, assertSpelt, type Given, type Known } from './known.js'
export { Lifecycle } from './lifecycle.js'
export { assertLifespan } from './lifespan.js'
export { consoleLogger, type Logger } from './logger.js'
export { beganBefore, type LoginMoment, laterMark, latestOf, Moments } from './moments.js'
export {
  allItems,
  type CheckedPage,
  checkPage,
  comparePositions,
  decodeCursor,
  encodeCursor,
  FirstPositions,
  type Page,
  type PageOptions,
  type PagePosition,
} from './page.js'
export {
  type AnyProviderFactory,
  defineSpi,
  type NodeIdentity,
  type Provider,
  type ProviderContext,
  type ProviderFactory,
  type Spi,
  type SpiOptions,
} from './provider.js'
export { PROVIDER_ANSWERS, type ProviderAnswer } from './provider-answer.js'
export {
  type BruteForceSettings,
  type ClientSettings,
  type CommonRealmSettings,
  type Realm,
  type RealmSettings,
  type RealmSettingsSource,
  resolveRealm,
} from './realm.js'
export type { RealmSettingCheck, RealmSettingChecks } from './realm-checks.js'
export { RecordVersions, type RecordVersionsOptions, type Upcaster } from './record-versions.js'
export {
  defineService,
  type Service,
  type ServiceDefinition,
  type ServiceRealmVerbs,
  type ServiceUserVerbs,
  type StoreLoader,
} from './service.js'
export type { StandardIssue, StandardResult, StandardSchemaV1 } from './standard-schema.js'
export { allSteps, nextStep } from './steps.js'
export { UnreadableCounter, type UnreadableStats } from './unreadable.js'
