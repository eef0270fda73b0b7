import { realmCacheSpi } from 'authstate'
import type { RegionStats } from 'authstate/realm-cache'
import type { Command } from 'commander'
import { wholeNumber } from '../arguments.js'
import { openState } from '../configuration.js'
import { EXIT } from '../exit-codes.js'
import { type Column, counted, instant, jsonOf, plain, tableOf } from '../output.js'
import { type CommonOptions, type Context, withDeployment, withJson, withOperations } from './context.js'

/** `authstate cache`, `authstate cluster` */
export function addOthers(program: Command, context: Context): void {
  const { surroundings } = context
  const cache = program.command('cache').description('cached realm data')
  withJson(withDeployment(cache.command('clear')))
    .description('empty a region, or every region, on every node')
    .option('--region <name>', 'only this region')
    .action(async (options: CommonOptions & { region?: string }) => {
      const { state } = await openState(options, surroundings, ['realm-cache', 'cluster'])
      try {
        const realmCache = state.get(realmCacheSpi)
        if (options.region === undefined) await realmCache.clearAll()
        else await realmCache.region(options.region).clear()
        const { nodes } = await state.cluster.refresh()
        const told = nodes.length - 1
        const what = options.region === undefined ? 'every region' : 'the region'
        surroundings.stdout.write(
          options.json ? jsonOf({ told }) : `${what} is emptied; ${counted(told, 'node')} told\n`,
        )
        if (told === 0) context.end(EXIT.nothing)
      } finally {
        await state.close()
      }
    })

  withJson(withDeployment(cache.command('stats')))
    .description('ask every node what its regions have done')
    .option('--wait <ms>', 'how long answers are waited for', '1000')
    .action(async (options: CommonOptions & { wait?: string }) => {
      const waitMs = wholeNumber(options.wait ?? '1000', '--wait', 1)
      await withOperations(context, options, ['realm-cache', 'cluster'], async ({ caches }) => {
        const { nodes, silent } = await caches.statsOfNodes({ waitMs })
        const others = nodes.filter(({ isThis }) => !isThis).map(({ node, regions }) => ({ node, regions }))
        const { stdout, stderr } = surroundings
        if (options.json) stdout.write(jsonOf({ nodes: others, silent }))
        else {
          const rows = others.flatMap(({ node, regions }) =>
            Object.entries(regions).map(([region, stats]) => ({ node, region, stats })),
          )
          if (rows.length > 0) stdout.write(tableOf(rows, REGION_COLUMNS, stdout))
          else stderr.write('no node has a region\n')
          if (silent.length > 0) stderr.write(`no answer from ${silent.map(plain).join(', ')}\n`)
        }
        if (others.length === 0) context.end(EXIT.nothing)
      })
    })

  const cluster = program.command('cluster').description('nodes of the deployment')
  withJson(withDeployment(cluster.command('nodes')))
    .description('list the nodes that live now')
    .action((options: CommonOptions) =>
      withOperations(context, options, ['cluster'], async (operations) => {
        const view = await operations.cluster.nodes()
        const nodes = view.nodes.filter(({ isThis }) => !isThis).map(({ isThis, ...node }) => node)
        const columns: Column<(typeof nodes)[number]>[] = [
          { title: 'NODE', of: ({ name }) => name, canShrink: true },
          { title: 'SITE', of: ({ site }) => site },
          { title: 'JOINED', of: ({ joinedAt }) => instant(joinedAt) },
        ]
        surroundings.stdout.write(
          options.json ? jsonOf({ nodes }) : tableOf(nodes, columns, surroundings.stdout),
        )
      }),
    )
}

interface RegionRow {
  readonly node: string
  readonly region: string
  readonly stats: RegionStats
}

const REGION_COLUMNS: readonly Column<RegionRow>[] = [
  { title: 'NODE', of: ({ node }) => node, canShrink: true },
  { title: 'REGION', of: ({ region }) => region },
  { title: 'VALUES', of: ({ stats }) => `${stats.size}` },
  { title: 'HITS', of: ({ stats }) => `${stats.hits}` },
  { title: 'MISSES', of: ({ stats }) => `${stats.misses}` },
  { title: 'RATE', of: ({ stats }) => `${Math.round(stats.hitRate * 100)} %` },
  { title: 'BYPASSES', of: ({ stats }) => `${stats.bypasses}` },
  { title: 'FAILED', of: ({ stats }) => `${stats.loadFailures}` },
  { title: 'OUTAGES', of: ({ stats }) => `${stats.outages}` },
]
