export type { CrossSiteConfig, OtherSite, ServiceOptions } from './config.js'
export { crossSite } from './cross-site.js'
export type {
  CrossSite,
  CrossSitePlan,
  CrossSiteSurroundings,
  LinkInfo,
  LinkListener,
  LinkReason,
  LinkState,
} from './public.js'
export type { SiteServiceName, Strategy } from './services.js'
