import type { Command } from 'commander'
import { type CommonOptions, type Context, withDeployment, withJson } from './context.js'

const load = () => import('../actions/doctor.js')

export interface DoctorOptions extends CommonOptions {
  readonly strict?: boolean
  readonly verbose?: boolean
  readonly spi?: string
  readonly sample?: string
  readonly watch?: string
}

/** `authstate doctor` */
export function addDoctor(program: Command, context: Context): void {
  withJson(withDeployment(program.command('doctor')))
    .description('examine Redis: is it fit for sessions? Writes nothing')
    .option('--spi <name>', 'only the checks that are about this kind of state, or about all')
    .option('--strict', 'a warning counts as a finding')
    .option('--sample <keys>', 'look at this many keys of the database', '0')
    .option('--watch <seconds>', 'examine again and again')
    .option('-v, --verbose', 'show what is fit as well')
    .addHelpText('after', '\nEnds with 0 when Redis is fit, 1 when a check failed, 4 when it is away.')
    .action((options: DoctorOptions) => load().then(({ doctor }) => doctor(context, options)))
}
