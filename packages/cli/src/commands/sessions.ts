import type { Command } from 'commander'
import type { ConfirmOptions } from '../confirm.js'
import type { ListingOptions } from '../listing.js'
import { type CommonOptions, type Context, withDeployment, withJson } from './context.js'

const load = () => import('../actions/sessions.js')

export interface SessionListOptions extends CommonOptions, ListingOptions {
  readonly user?: string
  readonly client?: string
  readonly kind?: readonly string[]
  readonly limit?: string
}

export interface SessionEndOptions extends CommonOptions, ConfirmOptions {
  readonly user?: string
  readonly client?: string
  readonly ref?: readonly string[]
  readonly except?: string
  readonly all?: boolean
}

/** `authstate sessions` */
export function addSessions(program: Command, context: Context): void {
  const sessions = program.command('sessions').description('users who are signed in')
  withJson(withDeployment(sessions.command('list <realm>')))
    .description('list living sessions: online, then offline, then web sessions')
    .option('-u, --user <id>', 'those of one user')
    .option('--client <id>', 'those at one client')
    .option('--kind <kind...>', 'only online, offline, web')
    .option('--limit <count>', 'sessions of a page, 1 to 100', '50')
    .option('--cursor <cursor>', 'where the page before ended')
    .option('--all', 'every page')
    .option('--jsonl', 'print one JSON object in each line')
    .action((realm: string, options: SessionListOptions) =>
      load().then(({ list }) => list(context, realm, options)),
    )
  withJson(withDeployment(sessions.command('show <realm> <reference>')))
    .description('show one session: its clients, its times, the names of its notes')
    .action((realm: string, reference: string, options: CommonOptions) =>
      load().then(({ show }) => show(context, realm, reference, options)),
    )
  withJson(withDeployment(sessions.command('count <realm>')))
    .description('count living sessions, and logins under way')
    .option('--by-client', 'by client')
    .action((realm: string, options: CommonOptions & { byClient?: boolean }) =>
      load().then(({ count }) => count(context, realm, options)),
    )
  withJson(withDeployment(sessions.command('end <realm>')))
    .description('end sessions')
    .option('--ref <reference...>', 'these, as `sessions list` names them')
    .option('-u, --user <id>', 'all of one user, online, offline and of the web')
    .option('--except <reference>', 'with --user: but for this one')
    .option('--client <id>', 'the client sessions of one client; user sessions stay')
    .option('--all', 'every session of the realm')
    .option('--dry-run', 'only say how many it would be')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      '\nListeners in the processes of your application get no events of sessions that end here; consumers of changes get notes (docs/changes.md).',
    )
    .action((realm: string, options: SessionEndOptions) =>
      load().then(({ end }) => end(context, realm, options)),
    )
}
