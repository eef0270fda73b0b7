import type { How } from './annotations.js'

/** What is gone with a session or a client session, as a consumer that asked for details is told. */
export interface EndedSession {
  /** `undefined` when the record could not be read any more. */
  readonly userId: string | undefined
  /** Why: `'removed'`, `'user'`, `'realm'`, `'limit'`, `'expired'`, …; docs/changes.md lists them. */
  readonly reason: string
  /** When, ms since the epoch, by the clock of the deployment. */
  readonly at: number
  /** Client sessions that are gone with it. */
  readonly clients: readonly EndedClient[]
}

/** A client session that is gone, and which of the client's nodes knows it under which name. */
export interface EndedClient {
  readonly clientId: string
  readonly nodeHost?: string
  readonly applicationSessionId?: string
}

/** Says that a record changed, and never what it holds: whoever wants to know reads it. */
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
  /** Of an ending, where the consumer asked for details. With `how: 'full'` the session lives on, and only these clients went. */
  readonly ended?: EndedSession
}

/** Changes that a consumer is not told of. */
export interface ChangeGap {
  readonly partition: number
  /**
   * `begun`: it is told for the first time, and of what changes from now on. `lost`: Redis has lost the last note that this consumer
   * has had, or how far it had come; the notes that are there follow. `missed`: notes went before it came for them: there were more
   * than `maxNotes`.
   */
  readonly reason: 'begun' | 'lost' | 'missed'
}

/** What a consumer does with what it is told. */
export interface ChangeHandlers {
  /**
   * Notes of one partition, in order; never again once this resolved and Redis heard of it. Until then they come again: also
   * on another node, and also when it throws.
   *
   * @param signal Aborted when this node may tell no longer: another one begins, or may have begun while Redis was out of reach.
   */
  readonly onNotes: (notes: readonly ChangeNote[], signal: AbortSignal) => unknown
  /**
   * Changes that it is not told of; before the notes that follow them. It comes again until it resolved, and then only where
   * this node lost the partition before it had told what follows.
   */
  readonly onGap?: (gap: ChangeGap, signal: AbortSignal) => unknown
}

/** How a consumer is told. */
export interface ChangeReaderOptions {
  /** Between two looks while nothing changes. @default 100 */
  readonly pollMs?: number
  /** How long a node that died keeps others from telling. @default 10_000 */
  readonly leaseMs?: number
  /** Notes at a time. @default 256 */
  readonly batch?: number
}

/** What a reader has done on this node. */
export interface ChangeReaderStats {
  readonly consumer: string
  /** Partitions of which this node tells now. */
  readonly partitions: number
  readonly notes: number
  /** Gaps told, but for those of a beginning. */
  readonly gaps: number
  /** Times that a handler failed. */
  readonly failures: number
  /** Notes that lie in the outboxes of these partitions, those included that only a slower consumer has to come for. */
  readonly waiting: number
}

/** A consumer that is being told. */
export interface ChangeReading {
  /** The partitions of which this node tells now. */
  partitions(): readonly number[]
  /** What was read so far, and what waits. */
  stats(): ChangeReaderStats
  /** Tells no more, once the handlers that run are done, and lets another node begin at once. Twice is the same as once. */
  close(): Promise<void>
}
