import type { Clock, LoginMoment } from '@authstate/spi'

/** How long, in ms, after the check of its credentials a login is still taken. */
export const MAX_LOGIN_MS = 3_600_000

/** How long, in ms, the mark of a removal is kept: longer than any login that it refuses is taken. */
export const FENCE_MS = MAX_LOGIN_MS + 60_000

/** How long, in ms, a removal keeps refresh tokens without a session from being accepted: longer than they live. */
export const TOKENS_FENCE_MS = 365 * 86_400_000

/** Whether a login began so long ago that no mark of then is kept. */
export function isTooLate({ at }: LoginMoment, clock: Clock): boolean {
  return clock.now() - at > MAX_LOGIN_MS
}
