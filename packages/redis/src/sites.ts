import type { RedisConnection } from './contract.js'
import { shared } from './shared.js'

/** A record that changed, from one note or several notes about it. */
export interface ChangedRecord {
  readonly partition: number
  /** The part of its key after the partition: `'us:acme:vJt0…'`. */
  readonly name: string
  /** When it changed last, ms since the epoch. */
  readonly at: number
  /** Whether a caller removed it. An expiry is not a removal. */
  readonly isRemoved: boolean
  /** Whether only times changed since it was sent last. `read` may then answer these alone. @default false */
  readonly isTouch?: boolean
}

/** What a joiner has to know about its site. */
export interface SiteTerms {
  /** The site whose Redis the connection leads to. */
  readonly site: string
  /** How long a removal is remembered, ms. */
  readonly endsMs: number
  /** How far stamps of another site may be ahead, ms. */
  readonly aheadMs: number
}

/**
 * What came of a join. `gone`: the record has ended there; `newer`: the state has a version that is not known there; `ahead`: its stamp is
 * too far ahead of the clock there; `unreadable`: the record there cannot be read. These three changed nothing, and may be
 * tried again later. `need-full`: the state has times alone, and another record is there, or none. It changed nothing, and the sender sends
 * the whole record.
 */
export type JoinOutcome = 'changed' | 'same' | 'gone' | 'newer' | 'ahead' | 'unreadable' | 'need-full'

/** What came of a join, and what the receiver knows better: a state that the sender has to join. */
export interface JoinAnswer {
  readonly outcome: JoinOutcome
  readonly known?: string
  /** What no site could see alone. Listeners to the sites hear of it. */
  readonly found?: readonly SiteFinding[]
}

/** What a join has found. `type` is the name of the event; the other fields are those of the event. */
export interface SiteFinding {
  readonly type: string
  readonly [field: string]: unknown
}

/** Where to continue a walk over names. */
export interface NamesCursor {
  readonly place: string
  readonly score: string
  readonly id: string
}

/** Names of records of one partition, including removed ones. */
export interface NamesPage {
  readonly names: readonly string[]
  /** How many records were looked at. @default the number of names */
  readonly looked?: number
  /** `undefined` at the end. */
  readonly next: NamesCursor | undefined
}

/** What a state says about a record. */
export interface StateAbout {
  /** When the latest part of it was written, ms since the epoch. */
  readonly changedAt: number
  /** Whether it describes something that ended. */
  readonly isRemoved: boolean
  /** A text that is equal at sites that hold the same record. */
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

/** What a script answers that adds up digests: `{place, score, id, count, part, sum...}`, where an empty place is the end. */
export function sumsPageOf(reply: unknown): SumsPage {
  const [place, score, id, count, ...flat] = reply as [string, string, string, number, ...string[]]
  const parts: [number, number][] = []
  for (let index = 0; index + 1 < flat.length; index += 2)
    parts.push([Number(flat[index]), Number(flat[index + 1])])
  return { next: place === '' ? undefined : { place, score, id }, count, parts }
}

/**
 * How the records of one service are kept in step between sites. Implement it to let a service of yours take part. What `read` returns at
 * one site, `join` takes at another. A join is commutative, associative and idempotent, so that order, repetition and retries do not
 * matter.
 */
export interface SiteJoiner {
  /** The service: `'user-session'`. */
  readonly spi: string
  /** The kinds of changes that it reads. */
  readonly kinds: readonly string[]
  /** Whether a record with this name belongs to the service. */
  owns(name: string): boolean
  /** What other sites have to know of a record; `undefined`: nothing. Stamps what changed in it. One step. */
  read(connection: RedisConnection, record: ChangedRecord, terms: SiteTerms): Promise<string | undefined>
  /** Joins a state from another site with the record here. One step; for a removal of many sessions, one step per hundred of them. */
  join(
    connection: RedisConnection,
    record: Pick<ChangedRecord, 'partition' | 'name'>,
    state: string,
    terms: SiteTerms,
  ): Promise<JoinAnswer>
  /**
   * The names of all records of a partition that another site has to know, a page at a time.
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
   * What a state says, without asking a server. If it is missing, a push with `since` sends everything, a mirror removes nothing, and
   * nothing is compared.
   */
  about?(state: string): StateAbout
  /** Sees to records of a partition that several sites used once each, and answers each of them to one caller of this site. */
  settle?(connection: RedisConnection, partition: number): Promise<readonly SiteConflict[]>
  /** Digests of the living records of a partition, a page at a time, so that a comparison need not transfer states. One step. */
  sums?(
    connection: RedisConnection,
    partition: number,
    after: NamesCursor | undefined,
    limit: number,
    terms: SiteTerms,
  ): Promise<SumsPage>
  /**
   * A state that says that a record ended, for a push of the mode `mirror`, which joins it where the record is to go.
   *
   * @param state What is known of the record there.
   * @default the record is read as one that was removed, and that takes it away
   */
  ended?(state: string, at: number, site: string): string
}

/** A verb of a service that may wait for other sites. */
export interface SiteVerb {
  /** The service: `'user-session'`. */
  readonly spi: string
  readonly verb: string
  /**
   * Whether a caller may repeat the verb if another site did not confirm it. `safe`: yes. `unsafe`: no, because a second call does a
   * second thing. `touch`: yes, and the verb waits only if `syncVerbs` names it. `as-long`: as
   * `unsafe`. It changes nothing that travels, but takes as long as if it did, so that no caller can tell the two apart by time.
   */
  readonly kind: 'safe' | 'unsafe' | 'touch' | 'as-long'
}

/** A site that decides about a key, and the way to it. */
export interface DecidingSite {
  /** Its name. */
  readonly site: string
  /** The connection to its Redis; that of this site if it decides itself. */
  readonly connection: RedisConnection
}

/** How a site that decides is asked. */
export interface DecideOptions {
  /** The name of the try, for the error: a caller that repeats it with that name gets the same answer. */
  readonly attempt?: string
  /** What is asked for decides nothing: this site does it if the other cannot be asked. @default false */
  readonly elseHere?: boolean
}

/** Which site decides about a key that may be used once at all sites. */
export interface SiteDeciders {
  /** All sites, this one included. */
  readonly sites: readonly string[]
  /** A text that is equal at sites with the same list of sites, marks and version. A site decides only for those that have the same. */
  readonly membership: string
  readonly endsMs: number
  readonly aheadMs: number
  /** The site that decides: the one whose mark the key contains, else the one that a hash of the key picks among all that are configured. */
  deciderOf(key: string): string
  /**
   * Lets the site that decides about the key do something. It may be this one, also because the other is offline and `whenDeciderOffline`
   * says so.
   *
   * @param run Answers `'stale'` if the site has another `membership`.
   * @throws {SiteUnavailableError} the site that decides cannot be asked, or did not answer
   */
  decide<T>(
    operation: string,
    key: string,
    run: (by: DecidingSite) => Promise<T | 'stale'>,
    options?: DecideOptions,
  ): Promise<T>
}

/** A token that several sites gave away, which was found when they met. */
export interface SiteConflict {
  readonly realmId: string
  readonly kind: string
  /** Its tokens were revoked. Absent if it has none. */
  readonly family?: string
}

/** What a connection knows of other sites, while its node keeps them in step: `connection.sites`. */
export interface ConnectionSites {
  /** The name of this site. */
  readonly site: string
  /** Whether this site holds what it should, and not less because its Redis lost data that other sites have. */
  isReady(): boolean
  /** The character that keys minted at this site contain; `undefined`: sites have no marks. */
  readonly mark?: string | undefined
  /** `undefined`: each site decides for itself. */
  readonly deciders?: SiteDeciders | undefined
  /**
   * Runs a verb, and waits for other sites if its service asks for it. The change at this site stays, whatever other sites answer.
   *
   * @param joined What the verb answers once a site that it waited for knew that something has ended, which this site then knows too.
   * @throws {CrossSiteError} another site did not confirm it, and the service has `onFailure: 'fail'`
   */
  follow<T>(verb: SiteVerb, run: () => Promise<T>, joined?: (answer: T) => Promise<T>): Promise<T>
  /** Called when a script that notes changes is sent on behalf of the current verb. @param key One of its keys. */
  changing(key: string): void
}

/** The verbs of a provider that change something, with whether they may be repeated. */
export type SiteVerbs<P> = { readonly [Verb in keyof P]?: SiteVerb['kind'] }

/** What verbs answer once another site knew that something has ended: given their arguments, and what they had answered. */
export type JoinedAnswers<P> = {
  readonly [Verb in keyof P]?: P[Verb] extends (...given: infer Given) => Promise<infer Answer>
    ? (given: Given, answer: Answer) => Promise<Answer>
    : never
}

/**
 * Lets verbs of a provider wait for other sites. A factory calls it on the provider that it made. Without sites, each call costs one check
 * of a property.
 *
 * @returns the provider
 */
export function followedBySites<P extends object>(
  provider: P,
  connection: RedisConnection,
  spi: string,
  verbs: SiteVerbs<P>,
  joined: JoinedAnswers<P> = {},
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
      const answers = joined[verb] as
        | ((given: readonly never[], answer: unknown) => Promise<unknown>)
        | undefined
      return sites.follow(
        siteVerb,
        () => run.apply(provider, given),
        answers && ((answer) => answers(given, answer)),
      )
    }
    Object.defineProperty(provider, verb, { value: follow, configurable: true, writable: true })
  }
  return provider
}

/** Figures of a link to another site that this node knows without asking a server. */
export interface SiteFigures {
  /** As in `CrossSite.links`: `'online'`. */
  readonly state: string
  /** Records that the other site had not received a few seconds ago. */
  readonly behind: number
  /** How long the latest change waited until it was sent to the other sites, ms; 0: nothing changed recently. */
  readonly lagMs: number
  /** Verbs of this node that decided in the place of the other site, while it was offline. Absent where nothing counts them. */
  readonly unguarded?: number
  readonly rttMs?: number
  readonly clockOffsetMs?: number
}

/** Figures and warnings about other sites: `connection.watchSites`. Reads memory only. */
export interface SiteWatch {
  /** By the names of the other sites. */
  figures(): Readonly<Record<string, SiteFigures>>
  /** What an operator should know about the links. Contains no secret. */
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
