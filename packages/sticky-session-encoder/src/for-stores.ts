/**
 * For authors of a provider of sticky sessions that knows the nodes from elsewhere, such as an
 * orchestrator: the port, the contract that is written over it, the schema of its properties, and
 * the rules of a route.
 *
 * A provider is a factory whose `create` answers `new StickySessions(context, config, yourRoutes)`. There is no store: a
 * session cookie holds all that there is.
 *
 * @module
 */
export { type StickySessionConfig, stickySessionConfig } from './config.js'
export { createRendezvous, type Rendezvous } from './rendezvous.js'
export type { Routes } from './routes.js'
export { ownRoute, ROUTE, routeOf } from './rules.js'
export { type PathOption, type RealmOption, type RouteOption, StickySessions } from './sticky-sessions.js'
