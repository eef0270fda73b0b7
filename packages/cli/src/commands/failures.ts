import type { Command } from 'commander'
import type { ConfirmOptions } from '../confirm.js'
import type { ListingOptions } from '../listing.js'
import { type CommonOptions, type Context, withDeployment, withJson } from './context.js'

const load = () => import('../actions/failures.js')

export interface SubjectOptions extends CommonOptions, ConfirmOptions {
  readonly user?: string
  readonly ip?: string
  readonly all?: boolean
}

export interface LockedOptions extends CommonOptions, ListingOptions {
  readonly limit?: string
}

/** `authstate failures` */
export function addFailures(program: Command, context: Context): void {
  const failures = program.command('failures').description('users who are locked out, and why')
  withJson(withDeployment(failures.command('locked <realm>')))
    .description('list the users who are locked out now, in the order in which their locks end')
    .option('--limit <count>', 'rows of a page, 1 to 100', '50')
    .option('--cursor <cursor>', 'where the page before ended')
    .option('--all', 'every page')
    .option('--jsonl', 'print one JSON object in each line')
    .action((realm: string, options: LockedOptions) =>
      load().then(({ locked }) => locked(context, realm, options)),
    )
  withJson(withDeployment(failures.command('show <realm>')))
    .description('say whether an attempt would be refused now, by which rule and until when')
    .option('-u, --user <id>', 'the user')
    .option('--ip <address>', 'the network of this address')
    .action((realm: string, options: SubjectOptions) =>
      load().then(({ show }) => show(context, realm, options)),
    )
  withJson(withDeployment(failures.command('clear <realm>')))
    .description('forget failures, and end any lock')
    .option('-u, --user <id>', 'of a user')
    .option('--ip <address>', 'of the network of this address')
    .option('--all', 'of every user and address of the realm')
    .option('-y, --yes', 'do not ask')
    .action((realm: string, options: SubjectOptions) =>
      load().then(({ clear }) => clear(context, realm, options)),
    )
}
