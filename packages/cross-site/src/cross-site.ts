import type { RedisConnection, SiteJoiner } from '@authstate/redis'
import { assertOptions, consoleLogger, type Known } from '@authstate/spi'
import { type Backup, backupOf } from './backup.js'
import { type CheckedConfig, type CrossSiteConfig, parseConfig } from './config.js'
import type { CrossSite, CrossSitePlan, CrossSiteSurroundings } from './public.js'
import { servicesWith, siteServices, strategyOf } from './services.js'
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
      // A consumer asks for something; where nothing is told, for what it is asked for elsewhere.
      kinds: kinds.length > 0 ? kinds : [...siteServices[0].joiner.kinds],
      details: true,
    },
    start: (connection, surroundings = {}) => start(connection, checked, surroundings),
  }
}

/** What is kept in step, as the configuration says. */
const inStep = ({ spi, joiners }: CheckedConfig) =>
  servicesWith(joiners).filter((service) => strategyOf(service, spi) !== 'none')

/** How a site is told of each service that can be told of. */
const backupsTo = (config: CheckedConfig, to: string): ReadonlyMap<string, Backup> =>
  new Map(
    servicesWith(config.joiners).flatMap(({ spi, strategy, joiner }) =>
      joiner === undefined ? [] : [[spi, backupOf(config, spi, strategy, to)] as const],
    ),
  )

/** Joiners of the services that some site is told of. */
function joinersOf(config: CheckedConfig): readonly SiteJoiner[] {
  const backups = Object.keys(config.sites).map((to) => backupsTo(config, to))
  return servicesWith(config.joiners).flatMap(({ spi, joiner }) =>
    joiner !== undefined && backups.some((told) => told.get(spi)?.strategy !== 'none') ? [joiner] : [],
  )
}

const SURROUNDINGS: Known<CrossSiteSurroundings> = { logger: true, reading: true, clocks: true }

async function start(
  connection: RedisConnection,
  config: CheckedConfig,
  surroundings: CrossSiteSurroundings,
): Promise<CrossSite> {
  assertOptions(surroundings, 'surroundings', SURROUNDINGS)
  const { logger = consoleLogger, reading = {}, clocks = {} } = surroundings
  const joiners = joinersOf(config)
  const work = inStep(config).flatMap((service) => service.work ?? [])
  const sites = new Sites({
    connection,
    config,
    logger,
    joiners,
    work,
    consumer: CONSUMER,
    reading,
    backups: (to) => backupsTo(config, to),
    clocks,
  })
  try {
    await sites.start()
  } catch (error) {
    await sites.close()
    throw error
  }
  return sites
}
