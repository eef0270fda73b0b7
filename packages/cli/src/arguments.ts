import { parseDuration } from '@authstate/spi'
import { CommandError, EXIT } from './exit-codes.js'

/**
 * A whole number that an option was given.
 *
 * @throws {CommandError} it is none, or below `least`
 */
export function wholeNumber(text: string, name: string, least = 0): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text)
  const from = least > 0 ? ` from ${least}` : ''
  throw new CommandError(EXIT.usage, `${name} must be a whole number${from}, got ${JSON.stringify(text)}`)
}

/**
 * The instant that `--since` was given, or a span before now, ms since the epoch.
 *
 * @throws {CommandError} it is neither
 */
export function instantOf(text: string, now: number): number {
  const at = /^\d{4}-\d\d/.test(text) ? Date.parse(text) : now - spanOf(text)
  if (Number.isSafeInteger(at) && at >= 0) return at
  throw new CommandError(
    EXIT.usage,
    `--since must be a span such as 90m, or an instant such as 2026-11-29T09:00:00Z`,
  )
}

function spanOf(text: string): number {
  try {
    return Number(parseDuration(text))
  } catch {
    return Number.NaN
  }
}
