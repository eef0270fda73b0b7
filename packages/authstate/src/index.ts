export {
  type ActionTokenProvider,
  actionTokenSpi,
  type ConsumeOutcome,
  type TokenRecord,
} from '@authstate/action-token'
export {
  type AuthSessionProvider,
  type AuthSessionTab,
  authSessionSpi,
  type RootAuthSession,
} from '@authstate/auth-session'
export { type ClusterProvider, clusterSpi } from '@authstate/cluster'
export { type LoginFailureProvider, loginFailureSpi } from '@authstate/login-failure'
export { type CacheRegion, type RealmCacheProvider, realmCacheSpi } from '@authstate/realm-cache'
export type { Description, Health } from '@authstate/registry'
export {
  type BruteForceSettings,
  type ClientSettings,
  type Clock,
  ConfigurationError,
  ConflictError,
  consoleLogger,
  type Keyring,
  LoaderTimeoutError,
  type Logger,
  ProviderClosedError,
  ProviderError,
  type ProviderErrorCode,
  type RealmSettings,
  type RealmSettingsSource,
  StoreCorruptError,
  StoreUnavailableError,
  systemClock,
} from '@authstate/spi'
export { type StickySessionEncoderProvider, stickySessionEncoderSpi } from '@authstate/sticky-session-encoder'
export {
  type ClientSession,
  type UserSession,
  type UserSessionProvider,
  userSessionSpi,
} from '@authstate/user-session'
export type { AuthState } from './auth-state.js'
export type { AuthStateConfig } from './config.js'
export { createAuthState } from './create-auth-state.js'
export type {
  ActionTokenSection,
  AuthSessionSection,
  ClusterSection,
  Duration,
  LoginFailureSection,
  Properties,
  PropertyValue,
  RealmCacheSection,
  RedisSection,
  SpiSections,
  StickySessionEncoderSection,
  UserSessionSection,
} from './sections.js'
