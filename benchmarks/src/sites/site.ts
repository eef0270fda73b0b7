import { type CrossSite, type CrossSiteConfig, crossSite } from '@authstate/cross-site'
import { type RedisConnection, redisConnectionSpi } from '@authstate/redis'
import { type UserSessionProvider, userSessionSpi } from '@authstate/user-session'
import { redisUserSessions } from '@authstate/user-session/redis'
import { openStore } from '../open-store.js'

/** A node of a site. */
export interface Site {
  readonly sessions: UserSessionProvider
  readonly connection: RedisConnection
  readonly sites: CrossSite
  close(): Promise<void>
}

const PARTITIONS = 4
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** Sessions of a deployment: without sites, or with notes of changes for them that nobody reads. */
export async function openSessions(url: string, prefix: string, consumers: readonly object[]) {
  const place = { url, nodes: [], prefix, variant: 'batched', redis: { changes: { consumers } } }
  const store = await openStore(
    consumers.length > 0 ? place : { ...place, redis: {} },
    [redisUserSessions()],
    {
      spi: { 'user-session': { sweepIntervalMs: 0 } },
      partitions: PARTITIONS,
    },
  )
  return {
    sessions: store.registry.get(userSessionSpi),
    connection: store.registry.get(redisConnectionSpi),
    close: () => store.close(),
  }
}

export const planOf = (
  site: string,
  other: string,
  url: string,
  prefix: string,
  more: Partial<CrossSiteConfig>,
) =>
  crossSite({
    site,
    sites: { [other]: { redis: { url, prefix } } },
    // The clock of these stores is that of the host, and so is that of Redis.
    clock: { warnMs: 60_000, limitMs: 120_000 },
    ...more,
  })

/** Starts a site on a Redis, with another one at the end of a way. */
export async function openSite(
  url: string,
  name: string,
  other: { readonly name: string; readonly url: string },
  more: Partial<CrossSiteConfig> = {},
): Promise<Site> {
  const plan = planOf(name, other.name, other.url, `site-${other.name}`, more)
  const store = await openSessions(url, `site-${name}`, [plan.consumer])
  const sites = await plan.start(store.connection, { logger: quiet })
  return {
    sessions: store.sessions,
    connection: store.connection,
    sites,
    async close() {
      await sites.close()
      await store.close()
    },
  }
}
