import { groups } from './ratios/plan.js'

/** A program that measures once, and the targets it answers. */
export interface MeasureProgram {
  /** File under `src`, without its ending. */
  readonly path: string
  readonly targets: readonly string[]
  /** `true`: what it measures depends on how busy the machine is. */
  readonly timed?: boolean
  /** `true`: it needs Clusters. */
  readonly cluster?: boolean
}

export const MEASURES: readonly MeasureProgram[] = [
  { path: 'counts/user-sessions', targets: ['D1', 'D2', 'D3'] },
  { path: 'counts/login-failures', targets: ['D1', 'D4', 'D5'] },
  { path: 'counts/action-tokens', targets: ['D1', 'D4', 'D5'] },
  { path: 'counts/web-sessions', targets: ['D1', 'D10'] },
  { path: 'counts/invalidation', targets: ['D6'] },
  { path: 'counts/floors', targets: ['D12'] },
  { path: 'growth/listings', targets: ['D7', 'D8', 'R13'], timed: true },
  { path: 'growth/pages', targets: ['D11'], timed: true },
  { path: 'growth/server-time', targets: ['scale'], timed: true },
  { path: 'growth/masters', targets: ['scale'], timed: true, cluster: true },
  { path: 'growth/in-memory', targets: ['scale'], timed: true },
  { path: 'setups/settings', targets: ['setups'], timed: true },
  { path: 'setups/capacity', targets: ['scale'], timed: true },
  { path: 'storms/run', targets: ['storms'], timed: true },
  { path: 'sites/run', targets: ['sites'], timed: true },
  { path: 'growth/endings', targets: ['D9'], timed: true },
]

/** Everything that `--only` may name: the targets, and what is measured without one. */
export const TARGETS: readonly string[] = [
  ...new Set([
    ...MEASURES.flatMap(({ targets }) => targets),
    ...groups.flatMap(({ ratios }) => ratios.map(({ target }) => target)),
  ]),
].sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))

/** What `--quick` leaves: nothing that depends on how busy the machine is. */
export const QUICK_TARGETS: readonly string[] = TARGETS.filter((target) =>
  MEASURES.some(({ targets, timed }) => targets.includes(target) && timed !== true),
)
