import type { ClusterProvider } from 'authstate'
import { LINK_STATES, type MetricName, OTHER } from './metrics.js'
import { findNamed, type ObservedState } from './state.js'

/** What a metric with some attributes is now. */
export interface Reading {
  readonly metric: MetricName
  readonly attributes: Readonly<Record<string, string>>
  readonly value: number
}

/** Most regions of the cache that are counted separately. */
const MOST_REGIONS = 100

/** What has to be read rather than heard: out of this process's memory, never from Redis. */
export function readingsOf(state: ObservedState): Reading[] {
  const stats = state.stats()
  return [
    ...ofCache(stats['realm-cache']),
    ...ofRedis(stats['redis']),
    ...ofSites(stats['redis']),
    ...ofCluster(state),
    ...Object.entries(stats).flatMap(([spi, counted]) => {
      const { unreadable } = (counted ?? {}) as { readonly unreadable?: unknown }
      return typeof unreadable === 'number'
        ? [reading('authstate.records.unreadable', { spi }, unreadable)]
        : []
    }),
  ]
}

const reading = (
  metric: MetricName,
  attributes: Readonly<Record<string, string>>,
  value: number,
): Reading => ({ metric, attributes, value })

interface RegionFigures {
  readonly size: number
  readonly hits: number
  readonly misses: number
  readonly staleAnswers: number
  readonly bypasses: number
  readonly outages: number
}

function ofCache(figures: unknown): Reading[] {
  return Object.entries((figures ?? {}) as Record<string, RegionFigures>).flatMap(
    ([name, { size, hits, misses, staleAnswers, bypasses, outages }], index) => {
      const region = index < MOST_REGIONS ? name : OTHER
      const requests = { hit: hits, miss: misses, stale: staleAnswers, bypass: bypasses }
      return [
        reading('authstate.cache.entries', { region }, size),
        reading('authstate.cache.outages', { region }, outages),
        ...Object.entries(requests).map(([result, count]) =>
          reading('authstate.cache.requests', { region, result }, count),
        ),
      ]
    },
  )
}

function ofRedis(figures: unknown): Reading[] {
  if (figures === undefined) return []
  const { sent, failed, reloaded, pending } = figures as Readonly<Record<string, number>>
  return (
    [
      ['authstate.redis.commands', sent],
      ['authstate.redis.failures', failed],
      ['authstate.redis.reloads', reloaded],
      ['authstate.redis.pending', pending],
    ] as const
  ).map(([metric, value = 0]) => reading(metric, {}, value))
}

interface LinkFigures {
  readonly state: string
  readonly behind: number
  readonly lagMs: number
  readonly unguarded?: number
  readonly rttMs?: number
  readonly clockOffsetMs?: number
}

/** Eleven series for each link. */
function ofSites(figures: unknown): Reading[] {
  const { sites = {} } = (figures ?? {}) as { readonly sites?: Readonly<Record<string, LinkFigures>> }
  return Object.entries(sites).flatMap(
    ([site, { state, behind, lagMs, unguarded = 0, rttMs, clockOffsetMs }]) => {
      const seconds = (
        [
          ['authstate.site.lag', lagMs],
          ['authstate.site.rtt', rttMs],
          ['authstate.site.clock.offset', clockOffsetMs],
        ] as const
      ).flatMap(([metric, ms]) => (ms === undefined ? [] : [reading(metric, { site }, ms / 1_000)]))
      return [
        ...LINK_STATES.map((known) =>
          reading('authstate.site.link', { site, state: known }, Number(known === state)),
        ),
        reading('authstate.site.behind', { site }, behind),
        reading('authstate.site.unguarded', { site }, unguarded),
        ...seconds,
      ]
    },
  )
}

function ofCluster(state: ObservedState): Reading[] {
  const cluster = findNamed<ClusterProvider>(state, 'cluster')
  if (cluster === undefined) return []
  return [
    reading('authstate.cluster.nodes', {}, cluster.view().nodes.length),
    reading('authstate.channel.live', {}, cluster.channel().state === 'live' ? 1 : 0),
  ]
}
