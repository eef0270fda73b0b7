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
