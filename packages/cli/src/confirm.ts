import { quote } from '@authstate/spi/internal'
import { CommandError, EXIT } from './exit-codes.js'
import type { Surroundings } from './surroundings.js'

/** What may keep a command from asking. */
export interface ConfirmOptions {
  readonly yes?: boolean | undefined
  readonly dryRun?: boolean | undefined
}

/**
 * Makes sure that somebody means it: asks on a terminal, elsewhere wants `--yes`.
 *
 * @param what What is about to be done: "end every session of 'acme'".
 * @param word What has to be typed; left out, `y` will do.
 * @throws {CommandError} it was not confirmed
 */
export async function confirm(
  { yes, dryRun }: ConfirmOptions,
  { canAsk, ask }: Surroundings,
  what: string,
  word?: string,
): Promise<void> {
  if (yes || dryRun) return
  if (!canAsk) {
    throw new CommandError(
      EXIT.refused,
      `to ${what}, give --yes: there is no terminal to confirm it on. --dry-run shows what would end`,
    )
  }
  const answer = (
    await ask(word === undefined ? `${what}? [y/N] ` : `${what}: type ${quote(word)} to go on: `)
  ).trim()
  if (word === undefined ? /^y(es)?$/i.test(answer) : answer === word) return
  throw new CommandError(EXIT.refused, 'nothing was done')
}
