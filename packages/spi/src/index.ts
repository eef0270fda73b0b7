export { type Answer, mapAnswer } from './answer.js'
export * from './assert.js'
export {
  type ForwardedHop,
  forwardedAddress,
  headerList,
  parseIp,
  trustedProxyFault,
  trustedProxyList,
  walkHops,
} from './client-address.js'
export * from './clock.js'
export * from './duration.js'
export { Emitter, type EmitterOptions, type EventOf, isPromiseLike } from './emitter.js'
export * from './errors.js'
export { isExpired } from './expiry.js'
export { hostPattern, isHostName, isHostPattern } from './host-names.js'
export * from './ids.js'
export * from './json-map.js'
export { type DescribedSchema, describedSchema } from './json-schema.js'
export { assertJson, type JsonValue } from './json-value.js'
export * from './keyring.js'
export * from './known.js'
export { Lifecycle } from './lifecycle.js'
export * from './logger.js'
export * from './moments.js'
export * from './page.js'
export { inheritedNames, isError, isPlainObject, RESERVED_NAMES } from './plain.js'
export * from './provider.js'
export * from './pruner.js'
export * from './realm.js'
export type { RealmSettingCheck, RealmSettingChecks } from './realm-checks.js'
export { RecordVersions, type RecordVersionsOptions, type Upcaster } from './record-versions.js'
export * from './sealing.js'
export * from './service.js'
export * from './slices.js'
export * from './standard-schema.js'
export * from './steps.js'
export { stopwatchOf } from './stopwatch.js'
export { fold, knownNames, listNames, nearest, quote } from './suggest.js'
export { timers } from './timers.js'
export { UnreadableCounter } from './unreadable.js'
