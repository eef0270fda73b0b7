export type { CrossSiteConfig, OtherSite, ServiceOptions } from './config.js'
export { crossSite } from './cross-site.js'
export { type SiteDesk, siteDesk, type VerifyWaiting } from './desk.js'
export type { NotedLink } from './links-noted.js'
export type {
  BringOnlineOptions,
  CrossSite,
  CrossSitePlan,
  CrossSiteSurroundings,
  LinkInfo,
  LinkListener,
  LinkReason,
  LinkState,
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
export type { SiteServiceName, Strategy } from './services.js'
