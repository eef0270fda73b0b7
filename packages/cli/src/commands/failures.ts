import type { FailureSubject, FailureView } from '@authstate/operations'
import type { Command } from 'commander'
import { type ConfirmOptions, confirm } from '../confirm.js'
import { CommandError, EXIT } from '../exit-codes.js'
import { counted, jsonOf, plain, relative } from '../output.js'
import { type CommonOptions, type Context, withDeployment, withJson, withOperations } from './context.js'

interface SubjectOptions extends CommonOptions, ConfirmOptions {
  readonly user?: string
  readonly ip?: string
  readonly all?: boolean
}

const NEEDED = ['login-failure']

/** `authstate failures` */
export function addFailures(program: Command, context: Context): void {
  const failures = program.command('failures').description('who is locked out, and why')
  withJson(withDeployment(failures.command('show <realm>')))
    .description('say whether an attempt would be refused now, by which rule and until when')
    .option('-u, --user <id>', 'the user')
    .option('--ip <address>', 'the network of this address')
    .action((realm: string, options: SubjectOptions) => show(context, realm, options))
  withJson(withDeployment(failures.command('clear <realm>')))
    .description('forget failures, and end any lock')
    .option('-u, --user <id>', 'of a user')
    .option('--ip <address>', 'of the network of this address')
    .option('--all', 'of every user and address of the realm')
    .option('-y, --yes', 'do not ask')
    .action((realm: string, options: SubjectOptions) => clear(context, realm, options))
}

function subjectOf({ user, ip }: SubjectOptions): FailureSubject {
  if ((user === undefined) === (ip === undefined))
    throw new CommandError(EXIT.usage, 'say whose failures: --user or --ip')
  return user === undefined ? { ip: ip as string } : { userId: user }
}

async function show(context: Context, realm: string, options: SubjectOptions): Promise<void> {
  const { stdout, now } = context.surroundings
  const subject = subjectOf(options)
  await withOperations(context, options, NEEDED, async ({ failures }) => {
    const view = await failures.show(realm, subject)
    if (view.record === undefined && view.explanation === undefined) {
      throw new CommandError(EXIT.nothing, 'no failures are on record')
    }
    stdout.write(options.json ? jsonOf(view) : textOf(view, now()))
  })
}

function textOf({ record, explanation }: FailureView, now: number): string {
  const lines: string[] = []
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

async function clear(context: Context, realm: string, options: SubjectOptions): Promise<void> {
  const { surroundings } = context
  const isOne = options.user !== undefined || options.ip !== undefined
  if (isOne === (options.all === true))
    throw new CommandError(EXIT.usage, 'say whose failures: one of --user, --ip and --all')
  if (!isOne) await confirm(options, surroundings, `forget every login failure of ${realm}`, realm)
  const subject = isOne ? subjectOf(options) : undefined
  await withOperations(context, options, NEEDED, async ({ failures }) => {
    const cleared =
      subject === undefined ? await failures.clearAll(realm) : Number(await failures.clear(realm, subject))
    surroundings.stdout.write(options.json ? jsonOf({ cleared }) : `${counted(cleared, 'record')} cleared\n`)
    if (cleared === 0) context.end(EXIT.nothing)
  })
}
