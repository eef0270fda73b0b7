import type { RedisConnection, SiteJoiner } from '@authstate/redis'
import { assertOptions, consoleLogger, type Known } from '@authstate/spi'
import { type Backup, backupOf } from './backup.js'
import { type CheckedConfig, type CrossSiteConfig, parseConfig } from './config.js'
import { siteEmitter, telling } from './events.js'
import type { CrossSite, CrossSitePlan, CrossSiteSurroundings } from './public.js'
import { servicesWith, siteServices, strategyOf } from './services.js'
import { Sites } from './sites.js'

/** The name by which notes of changes are read. */
const CONSUMER = 'sites'

/**
 * Checks a configuration of several sites; it starts nothing. Name the `consumer` of the plan in `redis.changes.consumers` of every
 * node of this site, then call `start` on every node.
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
      // A consumer has to ask for something: if nothing is sent, for the same as elsewhere.
      kinds: kinds.length > 0 ? kinds : [...siteServices[0].joiner.kinds],
      details: true,
    },
    start: (connection, surroundings = {}) => start(connection, checked, surroundings),
  }
}

/** The services that the configuration keeps in step. */
const inStep = ({ spi, joiners }: CheckedConfig) =>
  servicesWith(joiners).filter((service) => strategyOf(service, spi) !== 'none')

/** How changes of each service are sent to a site. */
const backupsTo = (config: CheckedConfig, to: string): ReadonlyMap<string, Backup> =>
  new Map(
    servicesWith(config.joiners).flatMap(({ spi, strategy, joiner }) =>
      joiner === undefined ? [] : [[spi, backupOf(config, spi, strategy, to)] as const],
    ),
  )

/** Joiners of the services that travel to at least one site. */
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
  const events = siteEmitter(logger)
  const joiners = joinersOf(config).map((joiner) => telling(joiner, events))
  const work = inStep(config).flatMap((service) => service.work ?? [])
  const sites = new Sites({
    connection,
    config,
    logger,
    events,
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
