import type { Lives, Uses } from '../expiry.js'
import { VERSION } from './versions.js'

/** Times as they are stored. */
export interface Times extends Uses {
  readonly expiresAt: number
  readonly rememberMe: boolean
}

/**
 * Reads the times at the start of a text: a word, startedAt, lastRefreshAt, expiresAt, score, perhaps `r`.
 *
 * @throws {Error} they can not be read
 */
export function decodeTimes(text: string): Times {
  const [, started = '', refreshed, expires, score = ''] = text.split(' ', 5)
  const startedAt = Number(started)
  const lastRefreshAt = Number(refreshed)
  const expiresAt = Number(expires)
  // Not a number unless all of them are.
  const sum = startedAt + lastRefreshAt + expiresAt
  if (started === '' || score === '' || Number.isNaN(sum)) throw new Error('times that can not be read')
  return { startedAt, lastRefreshAt, expiresAt, rememberMe: score.endsWith('r') }
}

/** Times of a session as the scripts write them, scored by their end. */
export function encodeTimes({ startedAt, lastRefreshAt, expiresAt, rememberMe }: Times): string {
  return `v${VERSION} ${startedAt} ${lastRefreshAt} ${expiresAt} ${expiresAt}${rememberMe ? 'r' : ''}`
}

/** Spans as the scripts take them: idle and max, of remember-me if they differ, and not-before if there is one. */
export function encodeLives({ plain, rememberMe, notBefore }: Lives): string {
  let spans = `${plain.idleMs} ${plain.maxMs}`
  const differ = rememberMe.idleMs !== plain.idleMs || rememberMe.maxMs !== plain.maxMs
  if (differ || notBefore > 0) spans += ` ${rememberMe.idleMs} ${rememberMe.maxMs}`
  return notBefore > 0 ? `${spans} ${notBefore}` : spans
}
