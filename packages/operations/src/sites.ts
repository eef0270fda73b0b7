import {
  type BringOnlineOptions,
  type NotedLink,
  type PushAction,
  type PushInfo,
  type PushOptions,
  type SiteDesk,
  siteDesk,
  type VerifyOptions,
  type VerifyReport,
  type VerifyWaiting,
} from '@authstate/cross-site'
import { assertName, ConfigurationError } from '@authstate/spi'
import type { AuthState } from 'authstate'
import { redisConnectionSpi } from 'authstate/redis'
import type { Recorder } from './audit.js'

/** This site, and its links to others. */
export interface SitesView {
  readonly site: string
  readonly links: readonly NotedLink[]
}

/**
 * Several sites, each with its own Redis. What is asked for here is noted in the Redis of this site, and its nodes do it: within a
 * heartbeat, wherever the caller runs. Every verb throws `ConfigurationError` where no node keeps sites in step.
 */
export interface SiteOperations {
  /** Which site this is, how its links stand, and how many records others have not heard of. */
  list(): Promise<SitesView>

  /**
   * Tells a site nothing more until {@link bringOnline}; what changes meanwhile is remembered. One direction. Safe to repeat.
   *
   * @throws {TypeError} the site is unknown
   */
  takeOffline(site: string): Promise<void>

  /**
   * Tells a site again what changes, and what it missed.
   *
   * @returns the pushes that `push` asked for
   * @throws {TypeError} the site or an option is unknown
   */
  bringOnline(site: string, options?: BringOnlineOptions): Promise<readonly PushInfo[]>

  /**
   * Tells a site what is here: everything, or what was written since a moment. Resolves when it is asked for.
   *
   * @throws {TypeError} the site or an option is unknown
   */
  push(to: string, options?: PushOptions): Promise<PushInfo>

  /** Brings what another site has here. */
  pull(from: string, options?: PushOptions): Promise<PushInfo>

  /** Pushes and pulls of this site, the last first; those that are over for seven days. */
  pushes(options?: { readonly active?: boolean }): Promise<readonly PushInfo[]>

  /** Cancels, pauses or resumes a push. `undefined`: the push is unknown. */
  controlPush(id: string, action: PushAction): Promise<PushInfo | undefined>

  /**
   * Compares what this site and another one hold; waits until nodes have done it.
   *
   * @throws {TypeError} the site or an option is unknown
   */
  verify(site: string, options?: VerifyOptions, waiting?: VerifyWaiting): Promise<VerifyReport>
}

/** Sites of a state. */
export function siteOperations(state: AuthState, recorder: Recorder): SiteOperations {
  const desk = (): SiteDesk => {
    const connection = state.find(redisConnectionSpi)
    if (connection === undefined)
      throw new ConfigurationError('sites have a Redis each, and this deployment has none')
    return siteDesk(connection)
  }
  const acts = <T>(event: string, site: string, details: Details, work: () => Promise<T>): Promise<T> => {
    assertName(site, 'site')
    return recorder.act({ event, details: { site, ...details } }, work)
  }
  return {
    async list() {
      const [site, links] = await Promise.all([desk().site(), desk().links()])
      return { site, links }
    },
    takeOffline: async (site) => acts('sites.offline', site, {}, () => desk().takeOffline(site)),
    bringOnline: async (site, options) =>
      acts('sites.online', site, detailsOf(options), () => desk().bringOnline(site, options)),
    push: async (to, options) => acts('sites.push', to, detailsOf(options), () => desk().push(to, options)),
    pull: async (from, options) =>
      acts('sites.pull', from, detailsOf(options), () => desk().pull(from, options)),
    pushes: async (options) => desk().pushes(options),
    async controlPush(id, action) {
      const push = (await desk().pushes()).find((known) => known.id === id)
      if (push === undefined) return undefined
      return acts(`sites.push-${action}`, push.to, {}, () => desk().controlPush(id, action))
    },
    async verify(site, options = {}, waiting) {
      const work = () => desk().verify(site, options, waiting)
      // To compare changes nothing.
      return options.repair === true ? acts('sites.repair', site, {}, work) : work()
    },
  }
}

type Details = Readonly<Record<string, string | number | boolean>>

/** Options of a verb, as far as they can be written. */
const detailsOf = (options: object = {}): Details =>
  Object.fromEntries(
    Object.entries(options).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value)),
  )
