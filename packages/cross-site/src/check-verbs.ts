import { followedVerbs, type RedisConnection } from '@authstate/redis'
import { ConfigurationError } from '@authstate/spi'
import type { CheckedConfig } from './config.js'

/** @throws {ConfigurationError} `syncVerbs` names a verb that does not exist */
export function checkVerbs(connection: RedisConnection, { spi: told }: CheckedConfig): void {
  const followed = followedVerbs(connection)
  const unfollowed = Object.entries(told).flatMap(([spi, { strategy, perSite = {} }]) =>
    !followed.has(spi) && [strategy, ...Object.values(perSite).map((of) => of.strategy)].includes('sync')
      ? [
          `crossSite.spi.${spi}: no verb of ${spi} can wait, so 'sync' has no effect. It can be 'async' or 'none'`,
        ]
      : [],
  )
  const unknown = [...followed].flatMap(([spi, verbs]) => {
    const { syncVerbs, perSite = {} } = told[spi] ?? {}
    const named = [syncVerbs, ...Object.values(perSite).map((of) => of.syncVerbs)]
    return named
      .flatMap((list) => (list === undefined || list === 'all' ? [] : list))
      .filter((verb) => !Object.hasOwn(verbs, verb))
      .map(
        (verb) =>
          `crossSite.spi.${spi}.syncVerbs: no verb "${verb}" of ${spi} can wait. Known: ${Object.keys(verbs).join(', ')}`,
      )
  })
  const mistakes = [...unfollowed, ...unknown]
  if (mistakes.length > 0) throw new ConfigurationError(mistakes.join('\n'))
}
