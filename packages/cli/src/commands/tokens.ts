import type { Command } from 'commander'
import type { ConfirmOptions } from '../confirm.js'
import type { ListingOptions } from '../listing.js'
import { type CommonOptions, type Context, withDeployment, withJson } from './context.js'

const load = () => import('../actions/tokens.js')

export interface TokenListOptions extends CommonOptions, ListingOptions {
  readonly subject: string
  readonly kind?: string
  readonly used?: boolean
  readonly limit?: string
}

export interface TokenRemoveOptions extends CommonOptions, ConfirmOptions {
  readonly subject?: string
  readonly ref?: readonly string[]
}

/** `authstate tokens` */
export function addTokens(program: Command, context: Context): void {
  const tokens = program.command('tokens').description('action tokens and their families')
  withJson(withDeployment(tokens.command('list <realm>')))
    .description('list the living tokens of a subject: no keys, no data')
    .requiredOption('--subject <id>', 'the subject of the tokens, such as a user id')
    .option('--kind <kind>', 'only this kind')
    .option('--used', 'also those that were consumed')
    .option('--limit <count>', 'tokens of a page, 1 to 100', '50')
    .option('--cursor <cursor>', 'where the page before ended')
    .option('--all', 'every page')
    .option('--jsonl', 'print one JSON object in each line')
    .action((realm: string, options: TokenListOptions) =>
      load().then(({ list }) => list(context, realm, options)),
    )
  withJson(withDeployment(tokens.command('remove <realm>')))
    .description('withdraw tokens')
    .option('--ref <reference...>', 'these, as `tokens list` names them')
    .option('--subject <id>', 'all tokens of this subject')
    .option('-y, --yes', 'do not ask')
    .action((realm: string, options: TokenRemoveOptions) =>
      load().then(({ remove }) => remove(context, realm, options)),
    )
  withJson(withDeployment(tokens.command('revoke-family <realm> <family>')))
    .description('withdraw every token of a family, and refuse what joins it later')
    .option('-y, --yes', 'do not ask')
    .action((realm: string, family: string, options: CommonOptions & ConfirmOptions) =>
      load().then(({ revokeFamily }) => revokeFamily(context, realm, family, options)),
    )
}
