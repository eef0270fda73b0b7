export type { Environment, RegistryConfig, SpiConfig } from './config.js'
export type { Description, PropertyDescription, SpiDescription } from './describe.js'
export type { Health, ProviderHealth } from './health.js'
export {
  CALL_CHANNEL,
  type InstrumentHook,
  type ProviderCall,
  type ProviderCallOutcome,
  type StartedCall,
} from './instrument.js'
export { type JsonSchema, jsonSchemaOf as schemaOf } from './json-schema.js'
export { createProviderRegistry, type ProviderRegistry, type ProviderRegistryOptions } from './registry.js'
export type { SelectionReason } from './selection.js'
export type { Origin } from './settings.js'
