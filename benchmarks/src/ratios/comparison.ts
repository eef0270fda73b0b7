import type { Bound } from '../finding.js'
import type { Slot } from '../subject.js'

/** A subject in one of its variants. */
export interface Runner {
  /** File in `subjects/`. */
  readonly subject: string
  readonly variant?: string
  /** `true`: a second process of the subject answers the first. */
  readonly partner?: boolean
  /** Folder of the checkout whose code it runs. @default this one */
  readonly checkout?: string
}

/** Runners that take turns at one operation. */
export interface Cell {
  readonly operation: string
  readonly callers: number
  readonly pace?: Slot['pace']
  /** @default 70 */
  readonly slotMs?: number
  readonly runners: readonly string[]
}

/** One figure of a runner over that of another, round by round. */
export interface Ratio {
  readonly target: string
  readonly cell: string
  readonly of: string
  readonly over: string
  /** At least. */
  readonly throughput?: number
  /** At most, as the latencies. */
  readonly cpu?: number
  /** Time in the commands of the server. */
  readonly server?: number
  readonly p50?: number
  readonly p99?: number
  /** Better figures than the target, which are worth the work. */
  readonly goal?: { readonly throughput?: number; readonly server?: number }
}

/** Runners that stay open together; what they stored is dropped afterwards. */
export interface Group {
  readonly name: string
  readonly cluster?: boolean
  readonly runners: Readonly<Record<string, Runner>>
  readonly cells: Readonly<Record<string, Cell>>
  readonly ratios: readonly Ratio[]
}

/** What is compared, and what the ratio of it must be. */
export function bounds({ throughput, cpu, server, p50, p99 }: Ratio): readonly (readonly [Figure, Bound])[] {
  const most = { cpu, server, p50, p99 }
  return [
    ...(throughput === undefined ? [] : [['throughput', { atLeast: throughput }] as const]),
    ...(['cpu', 'server', 'p50', 'p99'] as const).flatMap((figure) => {
      const atMost = most[figure]
      return atMost === undefined ? [] : [[figure, { atMost }] as const]
    }),
  ]
}

export type Figure = 'throughput' | 'cpu' | 'server' | 'p50' | 'p99'
