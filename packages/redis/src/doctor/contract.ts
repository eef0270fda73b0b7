import type { Clock, Known } from '@authstate/spi'

/**
 * What a check found.
 *
 * - `ok`: fit for an authentication server.
 * - `warn`: works, and can lose something in a fault that happens now and then.
 * - `fail`: loses or gives away what it must not, or will soon serve nothing.
 * - `unknown`: the user of Redis may not ask, or there was no answer; `fix` says how to find out.
 * - `skip`: does not apply to this deployment.
 */
export type Verdict = 'ok' | 'warn' | 'fail' | 'unknown' | 'skip'

/** The answer of one check. */
export interface Finding {
  /** Name of the check, fixed over versions: `'eviction.policy'`. */
  readonly id: string
  readonly verdict: Verdict
  /** Kinds of state that it is about; empty where it is about all. */
  readonly spi: readonly string[]
  /** What was seen, as numbers and short texts: never an id, a key of a record, a password or a value. */
  readonly measured: Readonly<Record<string, number | string | boolean>>
  /** What it means, as a sentence. */
  readonly message: string
  /** What to do about it, where something is to be done. */
  readonly fix?: string
  /** The page that explains the check. */
  readonly docs: string
}

/** What was found out about a Redis deployment. */
export interface Examination {
  /** Where the connection went; never with a password. */
  readonly target: string
  /** Kind of deployment. */
  readonly mode: 'standalone' | 'sentinel' | 'cluster'
  /** What the server says of itself: `'redis 7.0.15'`, `'valkey 8.1.1'`; `'unknown'` when it does not say. */
  readonly server: string
  readonly prefix: string
  readonly partitions: number
  /** When it was examined, ms since the epoch, by the clock of Redis. */
  readonly at: number
  /** In the order of the page; each check once. */
  readonly findings: readonly Finding[]
  /** How many findings have each verdict. */
  readonly summary: Readonly<Record<Verdict, number>>
}

/** What an examination looks at, in addition to the options of the connection. */
export interface ExamineOptions {
  /** The clock of this host. @default the system's */
  readonly clock?: Clock | undefined
  /**
   * How many keys of the database are looked at, at most: for keys that never end, and for what others keep there. It takes
   * the right to run SCAN. @default 0, none
   */
  readonly sample?: number | undefined
  /** How many commands are timed, at most. Slow servers are asked less often. @default 200 */
  readonly probes?: number | undefined
}

export const EXAMINE_OPTIONS: Known<ExamineOptions> = { clock: true, sample: true, probes: true }
