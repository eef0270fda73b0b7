import type { Command } from 'commander'
import { type CommonOptions, type Context, withDeployment, withJson } from './context.js'

const load = () => import('../actions/others.js')

export interface CacheClearOptions extends CommonOptions {
  readonly region?: string
}

export interface CacheStatsOptions extends CommonOptions {
  readonly wait?: string
}

/** `authstate cache`, `authstate cluster` */
export function addOthers(program: Command, context: Context): void {
  const cache = program.command('cache').description('cached realm data')
  withJson(withDeployment(cache.command('clear')))
    .description('empty a region, or every region, on every node')
    .option('--region <name>', 'only this region')
    .action((options: CacheClearOptions) => load().then(({ clearCache }) => clearCache(context, options)))
  withJson(withDeployment(cache.command('stats')))
    .description('ask every node what its regions have done')
    .option('--wait <ms>', 'how long answers are waited for', '1000')
    .action((options: CacheStatsOptions) => load().then(({ cacheStats }) => cacheStats(context, options)))

  const cluster = program.command('cluster').description('nodes of the deployment')
  withJson(withDeployment(cluster.command('nodes')))
    .description('list the nodes that live now')
    .action((options: CommonOptions) => load().then(({ nodes }) => nodes(context, options)))
}
