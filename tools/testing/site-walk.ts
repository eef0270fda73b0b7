export {
  SiteMessages as Messages,
  SiteNode,
  type SiteNodeOptions,
  type SitePlant as Plant,
  type ToldState as Told,
} from '@authstate/conformance'
