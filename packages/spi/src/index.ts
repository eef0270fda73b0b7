export * from './assert.js'
export * from './clock.js'
export type { Environment, RegistryConfig, SpiConfig } from './config.js'
export type { Description, PropertyDescription, SpiDescription } from './describe.js'
export * from './duration.js'
export * from './errors.js'
export type { Health, ProviderHealth } from './health.js'
export * from './ids.js'
export {
  CALL_CHANNEL,
  type InstrumentHook,
  type ProviderCall,
  type ProviderCallOutcome,
} from './instrument.js'
export * from './keyring.js'
export * from './known.js'
export * from './logger.js'
export { isPlainObject } from './plain.js'
export * from './provider.js'
export * from './pruner.js'
export * from './realm.js'
export type { RealmSettingCheck, RealmSettingChecks } from './realm-checks.js'
export { createProviderRegistry, type ProviderRegistry, type ProviderRegistryOptions } from './registry.js'
export * from './sealing.js'
export type { SelectionReason } from './selection.js'
export type { Origin } from './settings.js'
export * from './standard-schema.js'
export * from './steps.js'
export { knownNames, quote } from './suggest.js'
