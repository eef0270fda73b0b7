import type { Lives, Uses } from '../expiry.js'
import type { Limits } from '../limits.js'

/** Times as they are stored. */
export interface Times extends Uses {
  readonly expiresAt: number
  readonly rememberMe: boolean
}

/**
 * Reads the times at the start of a text: a word, startedAt, lastRefreshAt, expiresAt, score and flags, the last of which
 * may be `r`.
 *
 * By hand, because this runs per record and client session: splitting the text costs more than all the rest.
 *
 * @returns the times, and where they end
 * @throws {Error} they cannot be read
 */
export function decodeTimes(text: string): Times & { readonly end: number } {
  const started = text.indexOf(' ') + 1
  const refreshed = text.indexOf(' ', started) + 1
  const expires = text.indexOf(' ', refreshed) + 1
  const score = text.indexOf(' ', expires) + 1
  const blank = text.indexOf(' ', score)
  const end = blank < 0 ? text.length : blank
  const startedAt = wholeNumber(text, started, refreshed - 1)
  const lastRefreshAt = wholeNumber(text, refreshed, expires - 1)
  const expiresAt = wholeNumber(text, expires, score - 1)
  return { startedAt, lastRefreshAt, expiresAt, rememberMe: text.charAt(end - 1) === 'r', end }
}

function wholeNumber(text: string, from: number, to: number): number {
  let number = 0
  for (let place = from; place < to; place++) {
    const digit = text.charCodeAt(place) - 48
    if (digit < 0 || digit > 9) throw new Error('times that cannot be read')
    number = number * 10 + digit
  }
  if (from >= to) throw new Error('times that cannot be read')
  return number
}

/**
 * Times of a new session as the scripts write them behind its version, scored by their end.
 *
 * @param clientExpiresAt End of its client session; of none: its own.
 */
export function encodeTimes(
  { startedAt, lastRefreshAt, expiresAt, rememberMe }: Times,
  clientExpiresAt: number,
): string {
  const flags = (clientExpiresAt <= expiresAt ? 'o' : '') + (rememberMe ? 'r' : '')
  return `${startedAt} ${lastRefreshAt} ${expiresAt} ${expiresAt}${flags}`
}

/** Limits as the scripts take them; the empty string when there are none. */
export function encodeLimits({ perUser, perClient, offline, total, policy }: Limits): string {
  const allowed = [perUser, perClient, offline, total]
  return allowed.every((limit) => limit === 0) ? '' : `${allowed.join(' ')} ${policy}`
}

/** Spans as the scripts take them: idle and max, of remember-me if they differ, and not-before if there is one. */
export function encodeLives({ plain, rememberMe, notBefore }: Lives): string {
  let spans = `${plain.idleMs} ${plain.maxMs}`
  const differ = rememberMe.idleMs !== plain.idleMs || rememberMe.maxMs !== plain.maxMs
  if (differ || notBefore > 0) spans += ` ${rememberMe.idleMs} ${rememberMe.maxMs}`
  return notBefore > 0 ? `${spans} ${notBefore}` : spans
}
