export type { ActionTokenProvider, ConsumeOutcome, TokenRecord } from '@authstate/action-token'
export { actionTokenSpi } from '@authstate/action-token/service'
export type { AuthSessionProvider, AuthSessionTab, RootAuthSession } from '@authstate/auth-session'
export { authSessionSpi } from '@authstate/auth-session/service'
export type { ClusterProvider } from '@authstate/cluster'
export { clusterSpi } from '@authstate/cluster/service'
export type { LoginFailureProvider } from '@authstate/login-failure'
export { loginFailureSpi } from '@authstate/login-failure/service'
export type { CacheRegion, RealmCacheProvider } from '@authstate/realm-cache'
export { realmCacheSpi } from '@authstate/realm-cache/service'
export type { Description, Health, InstrumentHook, ProviderCall, ProviderHealth } from '@authstate/registry'
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
  ProviderClosedError,
  ProviderError,
  type ProviderErrorCode,
  type RealmSettings,
  type RealmSettingsSource,
  StoreCorruptError,
  StoreUnavailableError,
  systemClock,
} from '@authstate/spi'
export type { StickySessionEncoderProvider } from '@authstate/sticky-session-encoder'
export { stickySessionEncoderSpi } from '@authstate/sticky-session-encoder/service'
export type { ClientSession, UserSession, UserSessionProvider } from '@authstate/user-session'
export { userSessionSpi } from '@authstate/user-session/service'
export type { WebSession, WebSessionProvider } from '@authstate/web-session'
export { webSessionSpi } from '@authstate/web-session/service'
export type { AuthState, StateMembers } from './auth-state.js'
export type { AuthStateConfig, AuthStateOptions, WithEnvironment, WithoutEnvironment } from './config.js'
export { createAuthState } from './create-auth-state.js'
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
