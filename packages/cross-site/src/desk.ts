import type { RedisConnection } from '@authstate/redis'
import { assertOneOf, assertOptions, type Known } from '@authstate/spi'
import { linksNoted, type NotedLink } from './links-noted.js'
import type { BringOnlineOptions } from './public.js'
import type { PushAction, PushInfo, PushOptions, VerifyReport } from './push/contract.js'
import { Desk, type VerifyOptions } from './push/desk.js'

/** How to follow a comparison, and how to stop waiting for it. */
export interface VerifyWaiting {
  /** Called a few times a second with the progress. */
  readonly onProgress?: (push: PushInfo) => void
  /** Stops waiting; the nodes go on. */
  readonly signal?: AbortSignal
}

/**
 * Sites as seen from outside their nodes, for a command or a console. It reads and writes what the nodes of this site keep in its Redis,
 * and the nodes act on it within a heartbeat.
 */
export interface SiteDesk {
  /**
   * The name of this site.
   *
   * @throws {ConfigurationError} no node of this site has started `crossSite` yet
   */
  site(): Promise<string>
  /** All links from this site, as its nodes noted them last, with the number of records that are still to be sent. */
  links(): Promise<readonly NotedLink[]>
  /** As `CrossSite.takeOffline`. */
  takeOffline(site: string, options?: { readonly spi?: string }): Promise<void>
  /** As `CrossSite.bringOnline`. */
  bringOnline(site: string, options?: BringOnlineOptions): Promise<readonly PushInfo[]>
  /** As `CrossSite.push`. If no node keeps the service in step, the push becomes `failed`. */
  push(to: string, options?: PushOptions): Promise<PushInfo>
  /** As `CrossSite.pull`. */
  pull(from: string, options?: PushOptions): Promise<PushInfo>
  /** As `CrossSite.pushes`. */
  pushes(options?: { readonly active?: boolean }): Promise<readonly PushInfo[]>
  /** As `CrossSite.controlPush`. */
  controlPush(id: string, action: PushAction): Promise<PushInfo | undefined>
  /** As `CrossSite.verify`: waits until the nodes are done, without a limit. */
  verify(site: string, options?: VerifyOptions, waiting?: VerifyWaiting): Promise<VerifyReport>
}

const BRING_ONLINE: Known<BringOnlineOptions> = { spi: true, push: true, acceptResurrection: true }

/** Shows and changes sites through the Redis of this one, from outside their nodes. It opens no connection of its own. */
export function siteDesk(connection: RedisConnection): SiteDesk {
  const noted = linksNoted(connection)
  const desk = new Desk(() => noted.site(), connection)
  const known = async (site: string) => {
    const others = await noted.others()
    if (others.includes(site)) return
    throw new TypeError(`"site" must be one of ${others.map((name) => `"${name}"`).join(', ')}`)
  }
  return {
    site: () => noted.site(),
    links: () => noted.links(),
    async takeOffline(site, { spi } = {}) {
      await known(site)
      await noted.byHand(site, true, spi)
    },
    async bringOnline(site, options = {}) {
      await known(site)
      assertOptions(options, 'options', BRING_ONLINE)
      const { push, spi, acceptResurrection = false } = options
      if (push !== undefined) assertOneOf(push, 'options.push', ['both', 'out', 'in', 'none'])
      if (push === 'none') await noted.forgetBehind(site)
      const written = await noted.writtenSince(site)
      if (acceptResurrection) await noted.accept(site)
      await noted.byHand(site, false, spi)
      return Promise.all([
        ...(push === 'out' || push === 'both' ? [desk.push(site, written)] : []),
        ...(push === 'in' || push === 'both' ? [desk.pull(site, written)] : []),
      ])
    },
    async push(to, options) {
      await known(to)
      return desk.push(to, options)
    },
    async pull(from, options) {
      await known(from)
      return desk.pull(from, options)
    },
    pushes: (options) => desk.pushes(options),
    controlPush: (id, action) => desk.controlPush(id, action),
    async verify(site, options, { onProgress, signal } = {}) {
      await known(site)
      return desk.verify(site, options, onProgress, signal)
    },
  }
}
