import type { Command } from 'commander'
import type { ConfirmOptions } from '../confirm.js'
import { type CommonOptions, type Context, withDeployment, withJson } from './context.js'

const load = () => import('../actions/sites.js')

export interface OfflineOptions extends CommonOptions, ConfirmOptions {}

export interface OnlineOptions extends CommonOptions {
  readonly push?: string
  readonly acceptResurrection?: boolean
}

export interface PushCommandOptions extends CommonOptions, ConfirmOptions {
  readonly spi?: string
  readonly mode?: string
  readonly since?: string
  readonly pull?: boolean
  readonly wait?: boolean
}

export interface PushesOptions extends CommonOptions {
  readonly active?: boolean
  readonly cancel?: string
  readonly pause?: string
  readonly resume?: string
}

export interface VerifyCommandOptions extends CommonOptions, ConfirmOptions {
  readonly spi?: string
  readonly repair?: boolean
}

/** `authstate site` */
export function addSites(program: Command, context: Context): void {
  const site = program
    .command('site')
    .description(
      'several sites, each with its own Redis: what is asked for is done by the nodes of this site',
    )
  withJson(withDeployment(site.command('list')))
    .description('say which site this is, how its links stand, and what others have not heard of')
    .action((options: CommonOptions) => load().then(({ list }) => list(context, options)))
  withJson(withDeployment(site.command('offline <site>')))
    .description('tell a site nothing more; what changes meanwhile is remembered')
    .option('--dry-run', 'only say what would be done')
    .option('-y, --yes', 'do not ask')
    .action((to: string, options: OfflineOptions) =>
      load().then(({ offline }) => offline(context, to, options)),
    )
  withJson(withDeployment(site.command('online <site>')))
    .description('tell a site again what changes, and what it missed')
    .option(
      '--push <way>',
      'also push (out), pull (in) or do both since it was seen last; none: it goes without what it missed',
    )
    .option('--accept-resurrection', 'also where it was away for longer than removals are remembered')
    .action((to: string, options: OnlineOptions) => load().then(({ online }) => online(context, to, options)))
  withJson(withDeployment(site.command('push <site>')))
    .description('tell a site everything that is here, or what was written since a moment')
    .option('--spi <name>', 'only this service')
    .option('--since <when>', 'an instant, or how long ago: 2026-03-01T12:00Z, 6h')
    .option(
      '--mode <mode>',
      'full, delta (with --since), or mirror: also remove there what this site does not know',
    )
    .option('--pull', 'the other way round: bring here what is there')
    .option('--wait', 'wait until it is done, and say how far it has come')
    .option('--dry-run', 'only say what would be done')
    .option('-y, --yes', 'do not ask')
    .action((to: string, options: PushCommandOptions) =>
      load().then(({ push }) => push(context, to, options)),
    )
  withJson(withDeployment(site.command('pushes')))
    .description('list pushes of the last seven days, and cancel, pause or resume one')
    .option('--active', 'only what is not over')
    .option('--cancel <id>', 'end it; what was told stays')
    .option('--pause <id>', 'stop it until it is resumed')
    .option('--resume <id>', 'go on from where it came')
    .action((options: PushesOptions) => load().then(({ pushes }) => pushes(context, options)))
  withJson(withDeployment(site.command('verify <site>')))
    .description('compare what this site and another one hold; ends with 1 where they differ')
    .option('--spi <name>', 'only this service')
    .option('--repair', 'tell each site what it lacks, where they differ')
    .option('-y, --yes', 'do not ask before a repair')
    .action((to: string, options: VerifyCommandOptions) =>
      load().then(({ verify }) => verify(context, to, options)),
    )
}
