import { realmCacheSpi } from 'authstate'
import type { RegionStats } from 'authstate/realm-cache'
import { wholeNumber } from '../arguments.js'
import type { CommonOptions, Context } from '../commands/context.js'
import type { CacheClearOptions, CacheStatsOptions } from '../commands/others.js'
import { openState } from '../configuration.js'
import { EXIT } from '../exit-codes.js'
import { type Column, counted, instant, jsonOf, plain, tableOf } from '../output.js'
import { operationsOf, withOperations } from './deployment.js'

export async function clearCache(context: Context, options: CacheClearOptions): Promise<void> {
  const { surroundings } = context
  const { state, config } = await openState(options, surroundings, ['realm-cache', 'cluster', 'audit'])
  try {
    const { caches } = operationsOf(surroundings, state, config)
    if (options.region === undefined) await caches.clearAll()
    else {
      // A region is one of this process from then on.
      state.get(realmCacheSpi).region(options.region)
      await caches.clear(options.region)
    }
    const { nodes } = await state.cluster.refresh()
    const told = nodes.length - 1
    const what = options.region === undefined ? 'every region' : 'the region'
    surroundings.stdout.write(
      options.json ? jsonOf({ told }) : `${what} is emptied; ${counted(told, 'node')} notified\n`,
    )
    if (told === 0) context.end(EXIT.nothing)
  } finally {
    await state.close()
  }
}

export async function cacheStats(context: Context, options: CacheStatsOptions): Promise<void> {
  const waitMs = wholeNumber(options.wait ?? '1000', '--wait', 1)
  await withOperations(context, options, ['realm-cache', 'cluster'], async ({ caches }) => {
    const { nodes, silent } = await caches.statsOfNodes({ waitMs })
    const others = nodes.filter(({ isThis }) => !isThis).map(({ node, regions }) => ({ node, regions }))
    const { stdout, stderr } = context.surroundings
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
}

export function nodes(context: Context, options: CommonOptions): Promise<void> {
  const { stdout } = context.surroundings
  return withOperations(context, options, ['cluster'], async (operations) => {
    const view = await operations.cluster.nodes()
    const living = view.nodes.filter(({ isThis }) => !isThis).map(({ isThis, ...node }) => node)
    const columns: Column<(typeof living)[number]>[] = [
      { title: 'NODE', of: ({ name }) => name, canShrink: true },
      { title: 'SITE', of: ({ site }) => site },
      { title: 'JOINED', of: ({ joinedAt }) => instant(joinedAt) },
    ]
    stdout.write(options.json ? jsonOf({ nodes: living }) : tableOf(living, columns, stdout))
  })
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
