import type { Logger } from '@authstate/spi'
import type { CheckedConfig } from './config.js'
import type { Desk } from './push/desk.js'

/** What this site asks for once a site is back by itself, as the configuration says. Every node asks for the same. */
export function askAfter(
  desk: Desk,
  to: string,
  { recovery: { push }, clock: { limitMs } }: CheckedConfig,
  logger: Logger,
) {
  return (since: number): void => {
    const written = { since: Math.max(0, since - limitMs) }
    const asked = [
      ...(push === 'out' || push === 'both' ? [desk.push(to, written)] : []),
      ...(push === 'in' || push === 'both' ? [desk.pull(to, written)] : []),
    ]
    Promise.all(asked).catch(() => {
      logger.warn(
        { to, push },
        'Redis of this site did not answer, so the push after the return of a site is missing',
      )
    })
  }
}
