import type { TokenRow } from '@authstate/operations'
import { wholeNumber } from '../arguments.js'
import type { CommonOptions, Context } from '../commands/context.js'
import type { TokenListOptions, TokenRemoveOptions } from '../commands/tokens.js'
import { type ConfirmOptions, confirm } from '../confirm.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { printListing } from '../listing.js'
import { type Column, counted, jsonOf, relative } from '../output.js'
import { withOperations } from './deployment.js'

const NEEDED = ['action-token']

export async function list(context: Context, realm: string, options: TokenListOptions): Promise<void> {
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

export async function remove(context: Context, realm: string, options: TokenRemoveOptions): Promise<void> {
  const { surroundings } = context
  const { subject, ref } = options
  if ((subject === undefined) === (ref === undefined)) {
    throw new CommandError(EXIT.usage, 'give either --ref or --subject: which tokens are to be revoked?')
  }
  const what = ref === undefined ? `every token about ${subject}` : counted(ref.length, 'token')
  await confirm(options, surroundings, `withdraw ${what} in ${realm}`)
  await withOperations(context, options, [...NEEDED, 'audit'], async ({ tokens }) => {
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

export async function revokeFamily(
  context: Context,
  realm: string,
  family: string,
  options: CommonOptions & ConfirmOptions,
): Promise<void> {
  const { surroundings } = context
  await confirm(options, surroundings, `withdraw a family of tokens of ${realm}`)
  await withOperations(context, options, [...NEEDED, 'audit'], async (operations) => {
    const revoked = await operations.tokens.revokeFamily(realm, family)
    const text = `${counted(revoked, 'token')} withdrawn; later ones of the family are refused\n`
    surroundings.stdout.write(options.json ? jsonOf({ revoked }) : text)
  })
}
