import type { Command } from 'commander'
import { type Context, withJson } from './context.js'

const load = () => import('../actions/size.js')

export interface SizeOptions {
  readonly sessions?: string
  readonly clients?: string
  readonly notes?: string
  readonly life?: string
  readonly refresh?: string
  readonly json?: boolean
}

/** `authstate size` */
export function addSize(program: Command, context: Context): void {
  withJson(program.command('size'))
    .description('say what memory and processors a number of sessions takes; asks no server')
    .option('--sessions <count>', 'living sessions, such as 1e6 or 250000')
    .option('--clients <count>', 'clients in each', '1')
    .option('--notes <bytes>', 'notes of each', '0')
    .option('--life <span>', 'how long a session lives', '10h')
    .option('--refresh <span>', 'between two refreshes of a client', '5m')
    .action((options: SizeOptions) => load().then(({ size }) => size(context, options)))
}
