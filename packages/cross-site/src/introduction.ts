import { randomUUID } from 'node:crypto'
import type { RedisConnection, SiteJoiner } from '@authstate/redis'
import { ConfigurationError } from '@authstate/spi'
import { SINGLE_USE } from './backup.js'
import type { CheckedConfig } from './config.js'
import { PROTOCOL } from './link-parts.js'
import { namesNoted } from './links-noted.js'
import { assertMembership, membershipIn, membersOf } from './membership.js'
import { introduce } from './scripts.js'

/** What is recorded of a site, by the names of fields. */
export type Recorded = ReadonlyMap<string, string>

/** Records which site this is, and sets fields beside it. */
export function introduceSite(
  connection: RedisConnection,
  site: string,
  set: Readonly<Record<string, string>> = {},
): Promise<Recorded> {
  const keys = { site: connection.keys.shared('site') }
  const fields = JSON.stringify({ protocol: PROTOCOL, ...set })
  return connection.run(introduce, keys, { site, epoch: randomUUID(), set: fields })
}

/** @throws {ConfigurationError} this Redis belongs to another site, or nodes of this site had other sites or marks */
export async function introduceAtStart(
  connection: RedisConnection,
  config: CheckedConfig,
  joiners: readonly SiteJoiner[],
): Promise<Recorded> {
  const { site, sites, marks, membershipVersion } = config
  const recorded = await introduceSite(connection, site)
  const owner = recorded.get('site')
  if (owner !== site) {
    throw new ConfigurationError(
      `crossSite.site: is "${site}", but the Redis of this node belongs to the site "${owner}"`,
    )
  }
  // Which site decides about a key follows from the list of sites.
  const hasMembers = marks !== undefined || joiners.some(({ spi }) => spi === SINGLE_USE)
  if (hasMembers) assertMembership(config, membershipIn(recorded))
  return introduceSite(connection, site, {
    ...namesNoted(Object.keys(sites), recorded),
    membership: String(membershipVersion),
    ...(hasMembers && { members: membersOf(config) }),
  })
}
