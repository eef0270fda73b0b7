export type { CrossSiteConfig, OtherSite } from './config.js'
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
