import type { How } from './annotations.js'

/** What ended with a session or a client session, for a consumer that asked for details. */
export interface EndedSession {
  /** `undefined` when the record could not be read any more. */
  readonly userId: string | undefined
  /** Why: `'removed'`, `'user'`, `'realm'`, `'limit'`, `'expired'`, …; docs/changes.md lists them. */
  readonly reason: string
  /** When, ms since the epoch, by the clock of the deployment. */
  readonly at: number
  /** Client sessions that ended with it. */
  readonly clients: readonly EndedClient[]
}

/** A client session that ended, with the node of the client that has it and its id there. */
export interface EndedClient {
  readonly clientId: string
  readonly nodeHost?: string
  readonly applicationSessionId?: string
}

/** Says that a record changed, and never what it holds. To know that, read the record. */
export interface ChangeNote {
  /** Place in the outbox of its partition. Two notes of one partition are in the order of their changes. */
  readonly id: string
  readonly partition: number
  /** Kind of the record: `'user-session'`. */
  readonly kind: string
  /** The record's key behind its partition, as parts: `['us', 'acme', 'vJt0…']`. docs/storage.md says what they are. */
  readonly key: readonly string[]
  readonly how: How
  /** When Redis noted it, ms since the epoch, by the clock of that server. */
  readonly at: number
  /**
   * Of an ending, if the consumer asked for details. With `how: 'full'` the session lives on, and only these
   * client sessions ended.
   */
  readonly ended?: EndedSession
}

/** Changes whose notes a consumer does not get. */
export interface ChangeGap {
  readonly partition: number
  /**
   * `begun`: the consumer is new, and gets notes of changes from now on. `lost`: Redis has lost the
   * last note that this consumer received, or the record of it; the notes that are left follow.
   * `missed`: there were more than `maxNotes` notes, and the oldest were removed before the
   * consumer read them.
   */
  readonly reason: 'begun' | 'lost' | 'missed'
}

/** What a consumer does with notes and gaps. */
export interface ChangeHandlers {
  /**
   * Gets notes of one partition, in order. Once it has resolved and Redis has recorded that, they
   * do not come again. Until then they do: after an error, and also on another node.
   *
   * @param signal Aborted when this node may no longer deliver: another node begins, or may have
   * begun while Redis was out of reach.
   */
  readonly onNotes: (notes: readonly ChangeNote[], signal: AbortSignal) => unknown
  /**
   * Called when notes are missing, before the notes that follow. It is called again until it
   * resolves, and after that only if this node lost the partition before it had delivered the notes
   * that follow.
   */
  readonly onGap?: (gap: ChangeGap, signal: AbortSignal) => unknown
}

/** How a consumer reads. */
export interface ChangeReaderOptions {
  /** Between two looks while nothing changes. @default 100 */
  readonly pollMs?: number
  /** How long a node that died keeps other nodes from delivering. @default 10_000 */
  readonly leaseMs?: number
  /** Notes at a time. @default 256 */
  readonly batch?: number
}

/** What a reader has done on this node. */
export interface ChangeReaderStats {
  readonly consumer: string
  /** Partitions whose notes this node delivers now. */
  readonly partitions: number
  readonly notes: number
  /** Gaps that were reported, except those of a beginning. */
  readonly gaps: number
  /** Times that a handler failed. */
  readonly failures: number
  /**
   * Notes that lie in the outboxes of these partitions, including those that only a slower consumer still has
   * to read.
   */
  readonly waiting: number
}

/** A consumer that reads. */
export interface ChangeReading {
  /** The partitions whose notes this node delivers now. */
  partitions(): readonly number[]
  /** Looks now where this node tells, and not only when `pollMs` has passed: something has changed. */
  hurry(partition: number): void
  /** What was read so far, and what waits. */
  stats(): ChangeReaderStats
  /** Waits for the handlers that run, delivers nothing more, and lets another node begin at once. Safe to repeat. */
  close(): Promise<void>
}
