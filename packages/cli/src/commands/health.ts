import type { Command } from 'commander'
import { type CommonOptions, type Context, withDeployment, withJson } from './context.js'

const load = () => import('../actions/health.js')

/** `authstate health` */
export function addHealth(program: Command, context: Context): void {
  withJson(withDeployment(program.command('health')))
    .description('start each service that keeps records, and ask whether it can serve')
    .addHelpText('after', '\nEnds with 0 when all can, 1 when one cannot, 4 when Redis is away.')
    .action((options: CommonOptions) => load().then(({ health }) => health(context, options)))
}
