import type { ChangeConsumer, ChangeReaderOptions, RedisConnection } from '@authstate/redis'
import type { Clock, Logger } from '@authstate/spi'
import type { Strategy } from './backup.js'
import type { SiteEvents } from './events.js'
import type { PushAction, PushInfo, PushOptions, VerifyReport } from './push/contract.js'
import type { VerifyOptions } from './push/desk.js'

/**
 * State of a link from this site to another. `connecting`: this site has not reached it yet. `online`: changes are sent at once.
 * `suspect`: it failed, and is tried again. `offline`: nothing is sent; this site only asks every second whether it is back. `syncing`:
 * it is back, and receives what it missed as well as new changes. `blocked`: something is wrong that only an operator can fix; it is
 * checked every ten heartbeats, by default ten seconds.
 */
export type LinkState = 'connecting' | 'online' | 'suspect' | 'offline' | 'syncing' | 'blocked'

/** Why a link is offline or blocked. `with:<service>`: that service went offline by itself and took this one along. */
export type LinkReason =
  | `with:${string}`
  | 'auto'
  | 'manual'
  | 'clock'
  | 'rights'
  | 'configuration'
  | 'version'
  | 'away-too-long'

/** One service on a link. */
export interface ServiceLink {
  readonly strategy: Strategy
  readonly state: LinkState
  readonly reason?: LinkReason
  /** Failures in a row. */
  readonly failures: number
  /** When it entered this state, ms since the epoch. */
  readonly changedAt: number
}

/** A link from this site to another. All nodes of the site agree on its state within a second. */
export interface LinkInfo {
  readonly to: string
  /** The worst state of its services. */
  readonly state: LinkState
  /** By the name of the service. They differ if one was taken offline alone. */
  readonly services: Readonly<Record<string, ServiceLink>>
  readonly reason?: LinkReason
  /** If it is blocked: what an operator should do. Contains no secret. */
  readonly message?: string
  /** Failures in a row. */
  readonly failures: number
  /** When the first of these failures began, ms since the epoch. */
  readonly firstFailureAt?: number
  /** When it entered this state, ms since the epoch. */
  readonly changedAt: number
  /** Records that the other site has not received yet, of all partitions. One `*` stands for a whole partition. */
  readonly behind: number
  /** How long the last check of the other site took. */
  readonly rttMs?: number
  /** How far the clock of the other site is ahead of this site's clock. */
  readonly clockOffsetMs?: number
  /** How the other site sees its link to this one. Absent if it could not be asked. */
  readonly peerSeesUs?: LinkState
  /** Verbs of this node that waited for the other site and ended without its confirmation. */
  readonly unconfirmed: number
  /** Verbs of this node that decided about a token in the place of the other site, while it was offline: see `whenDeciderOffline`. */
  readonly unguarded: number
}

/** How a site is brought online. */
export interface BringOnlineOptions {
  /** Bring online only this service. */
  readonly spi?: string
  readonly push?: 'both' | 'out' | 'in' | 'none'
  readonly acceptResurrection?: boolean
}

/** How long {@link CrossSite.barrier} waits. */
export interface BarrierOptions {
  /** 60,000 at most. @default 1_000 */
  readonly waitMs?: number
}

/** Called when a link changes. */
export type LinkListener = (link: Omit<LinkInfo, 'behind'>) => void

/** Keeps this site in step with others, from this node. */
export interface CrossSite {
  /** The site that this is. */
  readonly site: string

  /** All links from this site. */
  links(): Promise<readonly LinkInfo[]>

  /**
   * Call it before somebody works on another site. No node of this site sends anything there until {@link bringOnline}. Changes
   * are remembered, once per record. Other nodes follow within a second. A second call changes nothing.
   *
   * It affects one direction only: an operator of the other site decides what that site sends. A link taken offline by this call never
   * comes back by itself.
   *
   * @param options `spi`: only this service.
   * @throws {TypeError} the site or the service is not configured
   */
  takeOffline(site: string, options?: { readonly spi?: string }): Promise<void>

  /**
   * Call it when a site that was taken offline may receive changes again. It first receives what was remembered, which is everything
   * that it missed. Ask for a push if that may not be enough, for example after work on the data of a site.
   *
   * @param options `push`: `'out'` also sends what was written here since the site was last seen; `'in'` fetches what was written
   *   there; `'both'` does both; `'none'` drops what was remembered. `acceptResurrection`: accept a site that was away for longer than
   *   removals are remembered, although sessions that ended since may come back from there.
   * @returns the pushes that were started
   * @throws {TypeError} the site is not configured, or an option is unknown
   */
  bringOnline(site: string, options?: BringOnlineOptions): Promise<readonly PushInfo[]>

  /**
   * Call it after another site lost data. It sends everything that this site holds to that site, removals included. Each node of this
   * site does the partitions that it reads, no faster than `maxRecordsPerSecond`; if a node dies, another one goes on from the same
   * place. What the other site knows better is joined here. Resolves when the push is queued, not when it is done. If the same push is
   * running already, the answer is that one.
   *
   * `mirror` then removes from the other site what this site does not know, unless it was written there after the push was asked for.
   * This cannot be undone.
   *
   * @throws {TypeError} the site or the service is not configured, or an option is unknown
   */
  push(to: string, options?: PushOptions): Promise<PushInfo>

  /** The other direction: nodes of this site read from the other one. Nodes there need not run, and need no connection to this site. */
  pull(from: string, options?: PushOptions): Promise<PushInfo>

  /**
   * Pushes and pulls that this site asked for, the latest first. One that is over is listed for seven days.
   *
   * @param options `active`: only those that are not over.
   */
  pushes(options?: { readonly active?: boolean }): Promise<readonly PushInfo[]>

  /**
   * Cancels, pauses or resumes a push; it takes effect within a second. Records that were sent stay. A push that is over does not
   * change.
   *
   * @returns `undefined`: there is no push with this id
   */
  controlPush(id: string, action: PushAction): Promise<PushInfo | undefined>

  /**
   * Call it to find out whether this site and another one hold the same. It compares a count of living records and a digest of each of
   * 256 parts per partition. A difference is checked three times, so that a change on its way does not count. Resolves when nodes of
   * this site are done; `controlPush` can cancel it, and then `isEqual` is `false`.
   *
   * @param options `repair`: sends each site what it lacks of the parts that differ.
   * @throws {TypeError} the site or the service is not configured, or an option is unknown
   */
  verify(site: string, options?: VerifyOptions): Promise<VerifyReport>

  /**
   * Call it after a login, and send the token along with the code that another site will get: {@link barrier} there waits for what this
   * node has written until now. A short text of letters, digits, `.`, `-` and `~`, without anything personal. It is shorter if other sites
   * have received most of the changes already. It covers records that sites keep in step, and no messages of the cluster.
   */
  token(): Promise<string>

  /**
   * Call it before you read what was written at another site a moment ago. It waits until this site has received everything that the token
   * stands for, so that no verb there has to wait for this site. A token of this site itself answers `true` at once.
   *
   * @returns `false`: not in that time, or this node closes. What you look for may still be missing here.
   * @throws {TypeError} the text is not a token, or names a site that is not configured here
   * @throws {RangeError} `waitMs`
   */
  barrier(token: string, options?: BarrierOptions): Promise<boolean>

  /**
   * Resolves when every change of this site before the call has been sent to every site whose link is online. Only the partitions that
   * this node reads count.
   */
  caughtUp(): Promise<void>

  /**
   * Listens to what happens between sites, on this node. docs/cross-site.md lists the fields of each event. `'*'` stands for all.
   *
   * @returns stops listening; calling it twice is the same as once
   * @throws {TypeError} the event is unknown, or the listener is not a function
   */
  on<Name extends keyof SiteEvents | '*'>(
    event: Name,
    listener: (
      event: Name extends keyof SiteEvents ? SiteEvents[Name] : SiteEvents[keyof SiteEvents],
    ) => unknown,
  ): () => void

  /** Hears of every change of a link. Answers what stops that. */
  onLink(listener: LinkListener): () => void

  /**
   * Whether this site holds what it should. `false` while its Redis lost what it had sent to other sites, as after a flush, an old backup
   * or a failover to a replica that lacked it, and a site that is online has not sent it back yet: readiness of `authstate/health` says so.
   */
  isReady(): boolean

  /** What an operator should know. */
  warnings(): readonly string[]

  /** Stops sending, and closes the connections to other sites. The connection to this site's Redis stays open. A second call does nothing. */
  close(): Promise<void>
}

/** What a node needs in addition to its configuration. */
export interface CrossSiteSurroundings {
  /** @default warnings and errors to standard error */
  readonly logger?: Logger
  /** How notes of changes are read. @default as `readChanges` does */
  readonly reading?: ChangeReaderOptions
  /** Clocks of other sites' deployments, by their names, if those use clocks of their own. @default the clock of each is measured */
  readonly clocks?: Readonly<Record<string, Clock>>
}

/** A checked configuration of sites: what {@link crossSite} returns. */
export interface CrossSitePlan {
  /** Name it in `redis.changes.consumers` of every node of this site. */
  readonly consumer: ChangeConsumer & { readonly kinds: string[] }

  /**
   * Starts on a node. Call it on every node of the site, with the connection that the node's state uses. It also starts while other
   * sites cannot be reached.
   *
   * @throws {ConfigurationError} the Redis of this site says that it is another site, is named as another site, or another one has
   *   another number of partitions; or `redis.changes.consumers` does not name the consumer
   */
  start(connection: RedisConnection, surroundings?: CrossSiteSurroundings): Promise<CrossSite>
}
