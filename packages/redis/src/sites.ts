import type { RedisConnection } from './contract.js'
import { shared } from './shared.js'

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
  /** How many it looked at. @default as many as it names */
  readonly looked?: number
  /** `undefined` at the end. */
  readonly next: NamesCursor | undefined
}

/** What a state says of a record. */
export interface StateAbout {
  /** When the latest part of it was written, ms since the epoch. */
  readonly changedAt: number
  /** Whether it says that something ended, and not what lives. */
  readonly isRemoved: boolean
  /** A text that is equal at sites that hold the same. */
  readonly compared: string
}

/** Digests of the living records of some names of a partition, added up. */
export interface SumsPage {
  /** How many of them live. */
  readonly count: number
  /** By the first byte of the SHA-1 of its name, the sum of 48 bits of a digest of each record, modulo 2^48. */
  readonly parts: readonly (readonly [part: number, sum: number])[]
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
  /**
   * Everything that another site has to know of a partition, a page at a time.
   *
   * @param since What was written before may be left out, ms since the epoch. @default 0
   */
  names(
    connection: RedisConnection,
    partition: number,
    after: NamesCursor | undefined,
    limit: number,
    since?: number,
  ): Promise<NamesPage>
  /**
   * What a state says, without asking anybody. Without it a push of what was written since tells everything, a mirror takes nothing
   * away, and nothing is compared.
   */
  about?(state: string): StateAbout
  /** Digests of what lives in a partition, a page at a time, so that states need not travel to be compared. One step. */
  sums?(
    connection: RedisConnection,
    partition: number,
    after: NamesCursor | undefined,
    limit: number,
    terms: SiteTerms,
  ): Promise<SumsPage>
}

/** A verb of a service, as far as other sites are concerned. */
export interface SiteVerb {
  /** The service: `'user-session'`. */
  readonly spi: string
  readonly verb: string
  /**
   * What a caller may do that was told that another site does not have it yet. `safe`: repeat it. `unsafe`: not, because a second call
   * does a second thing. `touch`: as `safe`, and nobody waits for another site unless the verb is named in `syncVerbs`. `as-long`: as
   * `unsafe`; it changes nothing that other sites hear of, and takes as long as if it did, so that nobody learns from the time which it was.
   */
  readonly kind: 'safe' | 'unsafe' | 'touch' | 'as-long'
}

/** What a connection knows of other sites, while its node keeps them in step: `connection.sites`. */
export interface ConnectionSites {
  /** The site that this is. */
  readonly site: string
  /**
   * Runs a verb, and waits for other sites where its service asks for that. What was done here is done, whatever comes of the rest.
   *
   * @throws {CrossSiteError} another site does not have it, and the service says FAIL
   */
  follow<T>(verb: SiteVerb, run: () => Promise<T>): Promise<T>
  /** A script that notes changes goes out, on behalf of the verb that runs. @param key One of its keys. */
  changing(key: string): void
}

/** The verbs of a provider that change something, by how they may be repeated. */
export type SiteVerbs<P> = { readonly [Verb in keyof P]?: SiteVerb['kind'] }

/**
 * Lets verbs of a provider wait for other sites. A factory calls it on what it made: without sites each call looks once whether there are
 * any.
 *
 * @returns the provider
 */
export function followedBySites<P extends object>(
  provider: P,
  connection: RedisConnection,
  spi: string,
  verbs: SiteVerbs<P>,
): P {
  const known = followed.get(connection.keys) ?? new Map()
  followed.set(connection.keys, known)
  known.set(spi, verbs as Readonly<Record<string, SiteVerb['kind']>>)
  for (const [verb, kind] of Object.entries(verbs) as [keyof P & string, SiteVerb['kind']][]) {
    const run = provider[verb] as (...given: never[]) => Promise<unknown>
    const siteVerb: SiteVerb = { spi, verb, kind }
    const follow = (...given: never[]) => {
      const { sites } = connection
      if (sites === undefined) return run.apply(provider, given)
      return sites.follow(siteVerb, () => run.apply(provider, given))
    }
    Object.defineProperty(provider, verb, { value: follow, configurable: true, writable: true })
  }
  return provider
}

/** What a link to another site is like, as this node knows without asking anybody. */
export interface SiteFigures {
  /** As `CrossSite.links` has it: `'online'`. */
  readonly state: string
  /** Records that the other site had not heard of, some seconds ago. */
  readonly behind: number
  /** How long a change waited until the other sites were told of it, the latest of them, ms; 0: nothing changed of late. */
  readonly lagMs: number
  readonly rttMs?: number
  readonly clockOffsetMs?: number
}

/** What is to be watched of other sites: `connection.watchSites`. Reads memory only. */
export interface SiteWatch {
  /** By the names of the other sites. */
  figures(): Readonly<Record<string, SiteFigures>>
  /** What an operator should know of the links: sentences without a secret. */
  warnings(): readonly string[]
}
const followed = shared(
  'followed-verbs',
  () => new WeakMap<RedisConnection['keys'], Map<string, Readonly<Record<string, SiteVerb['kind']>>>>(),
)

/** The verbs that may wait for other sites, of the services over a connection. */
export const followedVerbs = (
  connection: RedisConnection,
): ReadonlyMap<string, Readonly<Record<string, SiteVerb['kind']>>> =>
  followed.get(connection.keys) ?? new Map()
