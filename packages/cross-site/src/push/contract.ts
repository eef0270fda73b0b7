/**
 * What a push does. `delta`: tells what was written since a moment. `full`: everything. `mirror`: everything, and then takes away from
 * the receiver what the teller knows nothing of. `verify`: compares both sites. `repair`: compares them, and tells each what it lacks.
 */
export type PushMode = 'delta' | 'full' | 'mirror' | 'verify' | 'repair'

/** Of a push. `paused`: it waits for `resume`, `error` says why. `failed`: it cannot go on. */
export type PushStatus = 'queued' | 'running' | 'paused' | 'done' | 'cancelled' | 'failed'

/** What is asked of a push. */
export interface PushOptions {
  /** A service: `'user-session'`. @default every one that is kept in step */
  readonly spi?: string
  /** @default `'delta'` with `since`, else `'full'` */
  readonly mode?: 'delta' | 'full' | 'mirror'
  /** For `'delta'`: what was written before is not told, ms since the epoch. Say a minute less than you mean: clocks differ. */
  readonly since?: number
}

/** What an operator does to a push. */
export type PushAction = 'cancel' | 'pause' | 'resume'

/** A push, as every node of the site sees it. */
export interface PushInfo {
  readonly id: string
  /** The site that tells. */
  readonly from: string
  /** The site that is told. */
  readonly to: string
  /** A service, or `all` that are kept in step. */
  readonly spi: string
  readonly mode: PushMode
  readonly since?: number
  readonly status: PushStatus
  /** Why it is paused or failed: a sentence without a secret. */
  readonly error?: string
  readonly partitions: { readonly done: number; readonly total: number }
  /** Records that were looked at, removed ones among them. */
  readonly scanned: number
  /** Records that were told. */
  readonly sent: number
  /** Records that this changed at the receiver. */
  readonly changed: number
  /** Records that the receiver would not take: they are remembered, and told again. */
  readonly conflicts: number
  /** Of what was told, before it was put on the wire. */
  readonly bytes: number
  /** When it was asked for, ms since the epoch. */
  readonly askedAt: number
  readonly startedAt?: number
  readonly updatedAt: number
  readonly finishedAt?: number
  /** Records looked at per second, while it ran last. */
  readonly perSecond?: number
  /** For how long it will go on, by the partitions that are done. */
  readonly etaMs?: number
}

/** What two sites hold of a service in a partition, where they differ. */
export interface Difference {
  readonly spi: string
  readonly partition: number
  /** Living records at this site, and at the other one. */
  readonly here: number
  readonly there: number
  /** Of 256 parts of the records of the partition, how many differ. */
  readonly parts: number
  /** Whether what differed was told to both sites. */
  readonly isRepaired: boolean
}

/** What came of a comparison of two sites. */
export interface VerifyReport {
  readonly site: string
  /** Whether both held the same when they were compared, or do so since. */
  readonly isEqual: boolean
  readonly differences: readonly Difference[]
  /** Services that cannot be compared: their joiners do not say how. */
  readonly notCompared: readonly string[]
  readonly push: PushInfo
}
