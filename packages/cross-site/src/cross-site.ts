import type { RedisConnection } from '@authstate/redis'
import { assertOptions, consoleLogger, type Known } from '@authstate/spi'
import { userSessionJoiner } from '@authstate/user-session/sites'
import { type CheckedConfig, type CrossSiteConfig, parseConfig } from './config.js'
import type { CrossSite, CrossSitePlan, CrossSiteSurroundings } from './public.js'
import { Sites } from './sites.js'

/** The name by which notes of changes are read. */
const CONSUMER = 'sites'

/**
 * Checks what is to be kept in step between sites, and begins nothing. Name its `consumer` in `redis.changes.consumers` of every node
 * of this site, and `start` it on every node.
 *
 * @throws {ConfigurationError} names every place that cannot work or is not built yet
 */
export function crossSite(config: CrossSiteConfig): CrossSitePlan {
  const checked = parseConfig(config)
  const joiners = joinersOf(checked)
  const kinds = joiners.flatMap((joiner) => joiner.kinds)
  return {
    consumer: {
      name: CONSUMER,
      kinds: kinds.length > 0 ? kinds : [...userSessionJoiner.kinds],
      details: true,
    },
    start: (connection, surroundings = {}) => start(connection, checked, surroundings),
  }
}

const joinersOf = ({ spi }: CheckedConfig) =>
  spi['user-session'].strategy === 'async' ? [userSessionJoiner] : []

const SURROUNDINGS: Known<CrossSiteSurroundings> = { logger: true, reading: true }

async function start(
  connection: RedisConnection,
  config: CheckedConfig,
  surroundings: CrossSiteSurroundings,
): Promise<CrossSite> {
  assertOptions(surroundings, 'surroundings', SURROUNDINGS)
  const { logger = consoleLogger, reading = {} } = surroundings
  const joiners = joinersOf(config)
  const sites = new Sites({ connection, config, logger, joiners, consumer: CONSUMER, reading })
  try {
    await sites.start()
  } catch (error) {
    await sites.close()
    throw error
  }
  return sites
}
