import { type Clock, systemClock } from '@authstate/spi'
import type { Lifetime } from './contract.js'

/**
 * The life of a session whose end a framework computed with the host's clock: what is left of it by that clock, so that a host
 * whose clock is wrong neither shortens nor prolongs it. For `save` and `update`.
 *
 * @param expires A `Date`, its ISO text, or ms since the epoch: `cookie.expires` in whatever form it was stored.
 * @param hostClock The clock that it was computed with. @default the host's
 * @returns a life that has passed where nothing is left
 * @throws {TypeError} it is no date
 */
export function lifeUntil(expires: Date | string | number, hostClock: Clock = systemClock): Lifetime {
  const at = new Date(expires).getTime()
  if (!Number.isFinite(at) || expires === null) throw new TypeError('"expires" must be a date')
  const lifespanMs = Math.ceil(at - hostClock.now())
  return lifespanMs > 0 ? { lifespanMs } : { expiresAt: 0 }
}
