import type { RedisConnection } from '@authstate/redis'
import { assertOneOf, assertOptions, type Known } from '@authstate/spi'
import { linksNoted, type NotedLink } from './links-noted.js'
import type { BringOnlineOptions } from './public.js'
import type { PushAction, PushInfo, PushOptions, VerifyReport } from './push/contract.js'
import { Desk, type VerifyOptions } from './push/desk.js'

/** Tells somebody how far a comparison has come. */
export interface VerifyWaiting {
  /** Called a few times a second. */
  readonly onProgress?: (push: PushInfo) => void
  /** Ends the waiting; nodes go on. */
  readonly signal?: AbortSignal
}

/**
 * Sites, for somebody who is no node of them: a command, a console. It reads and writes what nodes of this site keep in its Redis; they
 * do what it asks for, within a heartbeat.
 */
export interface SiteDesk {
  /**
   * The site that this is.
   *
   * @throws {ConfigurationError} no node here has begun to keep sites in step
   */
  site(): Promise<string>
  /** All links from this site, as its nodes noted them last, with what others have not heard of. */
  links(): Promise<readonly NotedLink[]>
  /** As `CrossSite.takeOffline`. */
  takeOffline(site: string, options?: { readonly spi?: string }): Promise<void>
  /** As `CrossSite.bringOnline`. */
  bringOnline(site: string, options?: BringOnlineOptions): Promise<readonly PushInfo[]>
  /** As `CrossSite.push`. A service that no node keeps in step makes it `failed`. */
  push(to: string, options?: PushOptions): Promise<PushInfo>
  /** As `CrossSite.pull`. */
  pull(from: string, options?: PushOptions): Promise<PushInfo>
  /** As `CrossSite.pushes`. */
  pushes(options?: { readonly active?: boolean }): Promise<readonly PushInfo[]>
  /** As `CrossSite.controlPush`. */
  controlPush(id: string, action: PushAction): Promise<PushInfo | undefined>
  /** As `CrossSite.verify`: waits for nodes to do it, for as long as that takes. */
  verify(site: string, options?: VerifyOptions, waiting?: VerifyWaiting): Promise<VerifyReport>
}

const BRING_ONLINE: Known<BringOnlineOptions> = { spi: true, push: true, acceptResurrection: true }

/** Looks at sites, and acts on them, through the Redis of this one: for what is no node. It opens nothing. */
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
