import type { Command } from 'commander'
import type { ConfirmOptions } from '../confirm.js'
import { type CommonOptions, type Context, withDeployment, withJson } from './context.js'

const load = () => import('../actions/load.js')

export interface LoadOptions extends CommonOptions, ConfirmOptions {
  readonly scenario?: string
  readonly rps?: string
  readonly minutes?: string
  readonly sessions?: string
  readonly p99?: string
}

/** `authstate load` */
export function addLoad(program: Command, context: Context): void {
  withJson(withDeployment(program.command('load')))
    .description('put a deployment under load, in a realm of its own, and say whether it holds')
    .option('--scenario <name>', 'login-storm, refresh-storm or mixed', 'mixed')
    .option('--rps <rate>', 'operations per second', '100')
    .option('--minutes <minutes>', 'for how long, such as 0.5', '1')
    .option('--sessions <count>', 'sessions that live at once, at most', '1000')
    .option('--p99 <ms>', 'what 99 of 100 operations may take at most', '250')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', '\nEnds with 0 when it holds, 1 when it does not, 4 when Redis is away.')
    .action((options: LoadOptions) => load().then(({ putUnderLoad }) => putUnderLoad(context, options)))
}
