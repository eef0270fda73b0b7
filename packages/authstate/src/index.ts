export {
  CALL_CHANNEL,
  type Description,
  type Health,
  type InstrumentHook,
  type ProviderCall,
  type ProviderCallOutcome,
  type ProviderHealth,
  type StartedCall,
} from '@authstate/registry'
export {
  type BruteForceSettings,
  type ClientSettings,
  type Clock,
  ConfigurationError,
  ConflictError,
  consoleLogger,
  type Duration,
  IncompleteError,
  isProviderError,
  type Keyring,
  LoaderTimeoutError,
  type Logger,
  type NodeIdentity,
  PROVIDER_ANSWERS,
  type ProviderAnswer,
  ProviderClosedError,
  ProviderError,
  type ProviderErrorCode,
  type RealmSettings,
  type RealmSettingsSource,
  StoreCorruptError,
  StoreUnavailableError,
  systemClock,
} from '@authstate/spi'
export type { AuthState, StateMembers } from './auth-state.js'
export type { AuthStateConfig, AuthStateOptions, WithEnvironment, WithoutEnvironment } from './config.js'
export { createAuthState } from './create-auth-state.js'
export type { DeploymentKeys, KeyOutcome } from './deployment-keys.js'
export type { BoundMembers, BoundService, BoundVerb, RealmState } from './realm-state.js'
export type {
  AnyProviderId,
  PluginProviders,
  Properties,
  PropertyValue,
  ProviderId,
  RedisSection,
  RedisSectionWithEnv,
  SectionOf,
  ServiceName,
  ServiceNamed,
  SpiSections,
} from './sections.js'
export type { AnyService, MemberOf, ProviderOf } from './services.js'
export * from './spis.js'
