/** Where a subject finds what it talks to, and which of its variants is wanted. */
export interface Place {
  /** A Redis of our own. */
  readonly url: string
  /** The masters of a Cluster of our own, as `host:port`. */
  readonly nodes: readonly string[]
  /** Of the keys this subject makes; ends without a separator. */
  readonly prefix: string
  readonly variant: string
  /** More options of our connection, as JSON. */
  readonly redis?: Readonly<Record<string, unknown>>
}

/** Does one operation. `turn` counts up from 0 over the life of the process. */
export type Operation = (turn: number) => unknown

/** An implementation under measure, alone in its process. */
export interface Subject {
  readonly operations: Readonly<Record<string, Operation>>
  close(): Promise<void>
}

export type OpenSubject = (place: Place) => Promise<Subject>

/** One turn of a subject at the machine. */
export interface Slot {
  readonly operation: string
  readonly callers: number
  readonly ms: number
  /** For what takes less time than looking at the clock: a thousand at a time, awaited or not. @default 'each' */
  readonly pace?: 'each' | 'thousand awaited' | 'thousand'
}

/** What a slot gave. */
export interface SlotResult {
  readonly operations: number
  readonly perSecond: number
  readonly cpuUsPerOperation: number
  readonly p50Us: number
  readonly p99Us: number
  /** Time of one operation in the commands of the server, us; absent where that cannot be told. */
  readonly serverUsPerOperation?: number
}
