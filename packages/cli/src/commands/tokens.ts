import type { TokenRow } from '@authstate/operations'
import type { Command } from 'commander'
import { wholeNumber } from '../arguments.js'
import { type ConfirmOptions, confirm } from '../confirm.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { type ListingOptions, printListing } from '../listing.js'
import { type Column, counted, jsonOf, relative } from '../output.js'
import { type CommonOptions, type Context, withDeployment, withJson, withOperations } from './context.js'

interface ListOptions extends CommonOptions, ListingOptions {
  readonly subject: string
  readonly kind?: string
  readonly used?: boolean
  readonly limit?: string
}

interface RemoveOptions extends CommonOptions, ConfirmOptions {
  readonly subject?: string
  readonly ref?: readonly string[]
}

const NEEDED = ['action-token']

/** `authstate tokens` */
export function addTokens(program: Command, context: Context): void {
  const { surroundings } = context
  const tokens = program.command('tokens').description('action tokens and their families')
  withJson(withDeployment(tokens.command('list <realm>')))
    .description('list the living tokens about somebody: no keys, no data')
    .requiredOption('--subject <id>', 'whom they are about, such as a user id')
    .option('--kind <kind>', 'only this kind')
    .option('--used', 'also those that were consumed')
    .option('--limit <count>', 'tokens of a page, 1 to 100', '50')
    .option('--cursor <cursor>', 'where the page before ended')
    .option('--all', 'every page')
    .option('--jsonl', 'print one JSON object in each line')
    .action((realm: string, options: ListOptions) => list(context, realm, options))
  withJson(withDeployment(tokens.command('remove <realm>')))
    .description('withdraw tokens')
    .option('--ref <reference...>', 'these, as `tokens list` names them')
    .option('--subject <id>', 'all about somebody')
    .option('-y, --yes', 'do not ask')
    .action((realm: string, options: RemoveOptions) => remove(context, realm, options))
  withJson(withDeployment(tokens.command('revoke-family <realm> <family>')))
    .description('withdraw every token of a family, and refuse what joins it later')
    .option('-y, --yes', 'do not ask')
    .action(async (realm: string, family: string, options: CommonOptions & ConfirmOptions) => {
      await confirm(options, surroundings, `withdraw a family of tokens of ${realm}`)
      await withOperations(context, options, NEEDED, async (operations) => {
        const revoked = await operations.tokens.revokeFamily(realm, family)
        const text = `${counted(revoked, 'token')} withdrawn; later ones of the family are refused\n`
        surroundings.stdout.write(options.json ? jsonOf({ revoked }) : text)
      })
    })
}

async function list(context: Context, realm: string, options: ListOptions): Promise<void> {
  const { subject, kind, used: consumed = false } = options
  const limit = wholeNumber(options.limit ?? '50', '--limit', 1)
  await withOperations(context, options, NEEDED, ({ tokens, hasReferences }) =>
    printListing<TokenRow>(context.surroundings, options, {
      pageAt: (cursor) => tokens.list(realm, subject, { kind, consumed, limit, cursor }),
      columnsAt,
      none: 'no tokens',
      belowTable: hasReferences
        ? undefined
        : 'no references: the configuration has no keyring, so none can be named to `remove --ref`\n',
    }),
  )
}

const columnsAt = (now: number): readonly Column<TokenRow>[] => [
  { title: 'KIND', of: ({ kind }) => kind, canShrink: true },
  { title: 'EXPIRES', of: ({ expiresAt }) => relative(expiresAt, now) },
  { title: 'USED', of: ({ consumedAt }) => (consumedAt === undefined ? 'no' : relative(consumedAt, now)) },
  { title: 'FAMILY', of: ({ isOfFamily }) => (isOfFamily ? 'yes' : 'no') },
  { title: 'REFERENCE', of: ({ reference }) => reference },
]

async function remove(context: Context, realm: string, options: RemoveOptions): Promise<void> {
  const { surroundings } = context
  const { subject, ref } = options
  if ((subject === undefined) === (ref === undefined)) {
    throw new CommandError(EXIT.usage, 'say which tokens are withdrawn: --ref or --subject, one of them')
  }
  const what = ref === undefined ? `every token about ${subject}` : counted(ref.length, 'token')
  await confirm(options, surroundings, `withdraw ${what} in ${realm}`)
  await withOperations(context, options, NEEDED, async ({ tokens }) => {
    const { removed, unknown } =
      ref === undefined
        ? { removed: await tokens.removeBySubject(realm, subject as string), unknown: 0 }
        : await tokens.remove(realm, ref)
    const rest = unknown > 0 ? `, ${counted(unknown, 'reference')} without a living token` : ''
    surroundings.stdout.write(
      options.json ? jsonOf({ removed, unknown }) : `${counted(removed, 'token')} withdrawn${rest}\n`,
    )
    if (removed === 0) context.end(EXIT.nothing)
  })
}
