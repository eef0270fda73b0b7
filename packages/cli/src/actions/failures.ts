import type { FailureSubject, FailureView } from '@authstate/operations'
import type { LockedOut } from 'authstate/login-failure'
import { wholeNumber } from '../arguments.js'
import type { Context } from '../commands/context.js'
import type { LockedOptions, SubjectOptions } from '../commands/failures.js'
import { confirm } from '../confirm.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { printListing } from '../listing.js'
import { type Column, counted, instant, jsonOf, plain, relative } from '../output.js'
import { withOperations } from './deployment.js'

const NEEDED = ['login-failure']

const UNKNOWN_RULES =
  'the configuration says nothing of realms, so locks are shown as they were set: not what new settings would make of them\n'

function subjectOf({ user, ip }: SubjectOptions): FailureSubject {
  if ((user === undefined) === (ip === undefined))
    throw new CommandError(EXIT.usage, 'give --user or --ip: whose failures are meant?')
  return user === undefined ? { ip: ip as string } : { userId: user }
}

export async function locked(context: Context, realm: string, options: LockedOptions): Promise<void> {
  const limit = wholeNumber(options.limit ?? '50', '--limit', 1)
  await withOperations(context, options, NEEDED, ({ failures }, { saysRealms }) =>
    printListing<LockedOut>(context.surroundings, options, {
      pageAt: (cursor) => failures.locked(realm, { limit, cursor }),
      columnsAt,
      none: 'no user is locked out',
      remark: saysRealms ? undefined : UNKNOWN_RULES,
    }),
  )
}

const columnsAt = (now: number): readonly Column<LockedOut>[] => [
  { title: 'KIND', of: ({ subject }) => (subject.rule === 'user' ? 'user' : 'network') },
  {
    title: 'WHO',
    of: ({ subject }) => (subject.rule === 'user' ? subject.userId : subject.network),
    canShrink: true,
  },
  {
    title: 'UNTIL',
    of: ({ until }) => (until === undefined ? 'for good' : `${instant(until)} (${relative(until, now)})`),
  },
  { title: 'WHY', of: ({ reason }) => reason },
  { title: 'FAILURES', of: ({ numFailures }) => `${numFailures}` },
  { title: 'LAST', of: ({ lastFailureAt }) => relative(lastFailureAt, now) },
]

export async function show(context: Context, realm: string, options: SubjectOptions): Promise<void> {
  const { stdout, now } = context.surroundings
  const subject = subjectOf(options)
  await withOperations(context, options, NEEDED, async ({ failures }, { saysRealms }) => {
    const found = await failures.show(realm, subject)
    const view = saysRealms ? found : withoutRules(found)
    if (view.record === undefined && view.explanation === undefined) {
      throw new CommandError(EXIT.nothing, 'no failures are on record')
    }
    stdout.write(options.json ? jsonOf(view) : textOf(view, now()))
    if (!saysRealms && 'userId' in subject) context.surroundings.stderr.write(UNKNOWN_RULES)
  })
}

/** What holds whatever the settings of the realm are: not how many attempts they leave. */
function withoutRules({ record, explanation }: FailureView): FailureView & { readonly locked?: boolean } {
  return { ...(record !== undefined && { record }), ...(explanation && { locked: explanation.locked }) }
}

function textOf(
  { record, explanation, locked }: FailureView & { readonly locked?: boolean },
  now: number,
): string {
  const lines: string[] = locked === undefined ? [] : [locked ? 'locked' : 'not locked']
  if (explanation !== undefined) {
    lines.push(
      explanation.enabled ? (explanation.locked ? 'locked' : 'not locked') : 'the realm is not protected',
    )
    lines.push(...explanation.rules.map(({ text }) => `  ${plain(text)}`))
  }
  if (record === undefined) lines.push('no failures are on record')
  else {
    const { numFailures, lastFailureAt, lastIp } = record
    const from = lastIp === undefined ? '' : ` from ${lastIp}`
    lines.push(`${counted(numFailures, 'failure')}, the last ${relative(lastFailureAt, now)}${from}`)
  }
  return `${lines.join('\n')}\n`
}

export async function clear(context: Context, realm: string, options: SubjectOptions): Promise<void> {
  const { surroundings } = context
  const isOne = options.user !== undefined || options.ip !== undefined
  if (isOne === (options.all === true))
    throw new CommandError(EXIT.usage, 'give one of --user, --ip and --all: whose failures are meant?')
  if (!isOne) await confirm(options, surroundings, `forget every login failure of ${realm}`, realm)
  const subject = isOne ? subjectOf(options) : undefined
  await withOperations(context, options, [...NEEDED, 'audit'], async ({ failures }) => {
    const cleared =
      subject === undefined ? await failures.clearAll(realm) : Number(await failures.clear(realm, subject))
    surroundings.stdout.write(options.json ? jsonOf({ cleared }) : `${counted(cleared, 'record')} cleared\n`)
    if (cleared === 0) context.end(EXIT.nothing)
  })
}
