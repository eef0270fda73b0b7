import type { RedisConnection } from './contract.js'

/** A record that changed: what a note says of it, or several together. */
export interface ChangedRecord {
  readonly partition: number
  /** Its key behind its partition, as Redis holds it: `'us:acme:vJt0…'`. */
  readonly name: string
  /** When it changed last, ms since the epoch. */
  readonly at: number
  /** Whether it was taken away by somebody, and did not just end. */
  readonly isRemoved: boolean
}

/** What a joiner goes by. */
export interface SiteTerms {
  /** The site whose Redis the connection leads to. */
  readonly site: string
  /** How long a removal is remembered, ms. */
  readonly endsMs: number
  /** How far stamps of another site may be ahead, ms. */
  readonly aheadMs: number
}

/**
 * What came of a join. `gone`: it was told of what has ended there; `newer`: the state is of a version that is not known there; `ahead`: it is stamped too far ahead of the clock
 * there; `unreadable`: the record there cannot be read. The last three changed nothing, and are worth another try later.
 */
export type JoinOutcome = 'changed' | 'same' | 'gone' | 'newer' | 'ahead' | 'unreadable'

/** The same, with what the site that was told knows better: a state that is to be joined where it was told from. */
export interface JoinAnswer {
  readonly outcome: JoinOutcome
  readonly known?: string
}

/** Where a walk goes on. */
export interface NamesCursor {
  readonly place: string
  readonly score: string
  readonly id: string
}

/** Names of records of one partition, removed ones among them. */
export interface NamesPage {
  readonly names: readonly string[]
  /** `undefined` at the end. */
  readonly next: NamesCursor | undefined
}

/**
 * How the records of one service are kept in step between sites. What `read` answers at one site, `join` takes at another; joining is
 * commutative, associative and idempotent, so that order, repetition and retries do not matter.
 */
export interface SiteJoiner {
  /** The service: `'user-session'`. */
  readonly spi: string
  /** Kinds of changes to be told of. */
  readonly kinds: readonly string[]
  /** Whether records of a name are of this service. */
  owns(name: string): boolean
  /** What other sites have to know of a record; `undefined`: nothing. Stamps what changed of it. One step. */
  read(connection: RedisConnection, record: ChangedRecord, terms: SiteTerms): Promise<string | undefined>
  /** Joins that with what a site knows. One step, of a removal of many sessions one per hundred of them. */
  join(
    connection: RedisConnection,
    record: Pick<ChangedRecord, 'partition' | 'name'>,
    state: string,
    terms: SiteTerms,
  ): Promise<JoinAnswer>
  /** Everything that another site has to know of a partition, a page at a time. */
  names(
    connection: RedisConnection,
    partition: number,
    after: NamesCursor | undefined,
    limit: number,
  ): Promise<NamesPage>
}
