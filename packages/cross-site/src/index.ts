export type { BackupOptions, FailurePolicy, ServiceOptions, Strategy, WhenDeciderOffline } from './backup.js'
export type { CrossSiteConfig, OtherSite } from './config.js'
export { crossSite } from './cross-site.js'
export { type SiteDesk, siteDesk, type VerifyWaiting } from './desk.js'
export {
  type BackupOutcome,
  type BackupResult,
  CrossSiteError,
  type CrossSiteFailure,
  SiteUnavailableError,
  type SiteUnavailableOptions,
} from './errors.js'
export type { SiteEvents } from './events.js'
export type { NotedLink } from './links-noted.js'
export type {
  BarrierOptions,
  BringOnlineOptions,
  CrossSite,
  CrossSitePlan,
  CrossSiteSurroundings,
  LinkInfo,
  LinkListener,
  LinkReason,
  LinkState,
  ServiceLink,
} from './public.js'
export type {
  Difference,
  PushAction,
  PushInfo,
  PushMode,
  PushOptions,
  PushStatus,
  VerifyReport,
} from './push/contract.js'
export type { VerifyOptions } from './push/desk.js'
export type { SiteServiceName } from './services.js'
