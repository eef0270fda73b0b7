import type { Lives, Uses } from '../expiry.js'
import type { Fields } from './versions.js'

/** Times as they are stored. */
export interface Times extends Uses {
  readonly expiresAt: number
  readonly rememberMe: boolean
}

/**
 * Reads times as the scripts write them: startedAt, lastRefreshAt, expiresAt, score, perhaps `r`.
 *
 * @throws {Error} they can not be read
 */
export function decodeTimes(text: string | undefined): Times {
  const [started = '', refreshed, expires, score = ''] = (text ?? '').split(' ', 4)
  const startedAt = Number(started)
  const lastRefreshAt = Number(refreshed)
  const expiresAt = Number(expires)
  // Not a number unless all of them are.
  const sum = startedAt + lastRefreshAt + expiresAt
  if (started === '' || score === '' || Number.isNaN(sum)) throw new Error('times that can not be read')
  return { startedAt, lastRefreshAt, expiresAt, rememberMe: score.endsWith('r') }
}

/** Times as the scripts write them. @param score In the indexes. */
export function encodeTimes(
  { startedAt, lastRefreshAt, expiresAt }: Uses & { readonly expiresAt: number },
  score: number,
  rememberMe: boolean,
): string {
  return `${startedAt} ${lastRefreshAt} ${expiresAt} ${score}${rememberMe ? 'r' : ''}`
}

/** Spans as the scripts take them: idle and max, of remember-me if they differ, and not-before if there is one. */
export function encodeLives({ plain, rememberMe, notBefore }: Lives): string {
  let spans = `${plain.idleMs} ${plain.maxMs}`
  const differ = rememberMe.idleMs !== plain.idleMs || rememberMe.maxMs !== plain.maxMs
  if (differ || notBefore > 0) spans += ` ${rememberMe.idleMs} ${rememberMe.maxMs}`
  return notBefore > 0 ? `${spans} ${notBefore}` : spans
}

/** Fields from the flat list that a script answers. */
export function fieldsOf(flat: readonly string[]): Fields {
  const fields: Record<string, string> = {}
  for (let index = 0; index + 1 < flat.length; index += 2)
    fields[flat[index] as string] = flat[index + 1] as string
  return fields
}

/** Fields from values in the order of their names. */
export function zipFields(names: readonly string[], values: readonly (string | null)[]): Fields {
  const fields: Record<string, string> = {}
  for (let index = 0; index < names.length; index++) {
    const value = values[index]
    if (typeof value === 'string') fields[names[index] as string] = value
  }
  return fields
}
