/**
 * What a push does. `delta`: sends what was written since a moment. `full`: sends everything. `mirror`: sends everything, and then
 * removes from the receiver what the sender does not know. `verify`: compares both sites. `repair`: compares both sites, and sends each
 * what it lacks.
 */
export type PushMode = 'delta' | 'full' | 'mirror' | 'verify' | 'repair'

/** State of a push. `paused`: it waits for `resume`, and `error` says why. `failed`: it cannot go on. */
export type PushStatus = 'queued' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed'

/** Options of a push. */
export interface PushOptions {
  /** A service: `'user-session'`. @default every one that is kept in step */
  readonly spi?: string
  /** @default `'delta'` with `since`, else `'full'` */
  readonly mode?: 'delta' | 'full' | 'mirror'
  /** For `'delta'`: send only what was written since then, ms since the epoch. Subtract a minute: clocks differ. */
  readonly since?: number
}

/** What an operator does to a push. */
export type PushAction = 'cancel' | 'pause' | 'resume'

/** A push, as every node of the site sees it. */
export interface PushInfo {
  readonly id: string
  /** The site that sends. */
  readonly from: string
  /** The site that receives. */
  readonly to: string
  /** A service, or `all` that are kept in step. */
  readonly spi: string
  readonly mode: PushMode
  readonly since?: number
  /** `rewound`: this site asked for it by itself, because its Redis lost what it had sent to other sites. */
  readonly reason?: 'rewound'
  /** Only these partitions. */
  readonly only?: readonly number[]
  readonly status: PushStatus
  /** Why it is paused or failed. Contains no secret. */
  readonly error?: string
  readonly partitions: { readonly done: number; readonly total: number }
  /** Records that were looked at, removed ones among them. */
  readonly scanned: number
  /** Records that were sent. */
  readonly sent: number
  /** Records that changed at the receiver. */
  readonly changed: number
  /** Records that the receiver did not take: they are remembered, and sent again. */
  readonly conflicts: number
  /** Size of the records that were sent, before encoding for the wire. */
  readonly bytes: number
  /** When it was asked for, ms since the epoch. */
  readonly askedAt: number
  readonly startedAt?: number
  readonly updatedAt: number
  readonly finishedAt?: number
  /** Records looked at per second, during the last run. */
  readonly perSecond?: number
  /** Estimated time left, from the partitions that are done. */
  readonly etaMs?: number
}

/** What two sites hold of a service in a partition, where they differ. */
export interface Difference {
  readonly spi: string
  readonly partition: number
  /** Living records at this site, and at the other one. */
  readonly here: number
  readonly there: number
  /** How many of the 256 parts of the partition differ. */
  readonly parts: number
  /** Whether each site received what it lacked. */
  readonly isRepaired: boolean
}

/** What came of a comparison of two sites. */
export interface VerifyReport {
  readonly site: string
  /** Whether both held the same when they were compared, or after the repair. */
  readonly isEqual: boolean
  readonly differences: readonly Difference[]
  /** Services that cannot be compared: their joiners do not say how. */
  readonly notCompared: readonly string[]
  readonly push: PushInfo
}
