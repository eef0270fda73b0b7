import type { ChangeConsumer, ChangeReaderOptions, RedisConnection } from '@authstate/redis'
import type { Clock, Logger } from '@authstate/spi'
import type { Strategy } from './backup.js'
import type { SiteEvents } from './events.js'
import type { PushAction, PushInfo, PushOptions, VerifyReport } from './push/contract.js'
import type { VerifyOptions } from './push/desk.js'

/**
 * Of a link from this site to another. `online`: what changes here is told there at once. `suspect`: it failed, and is tried again.
 * `offline`: it is not tried, but for a question each second whether the other site is back. `syncing`: it is back, and told what it missed
 * besides what changes. `blocked`: something is wrong that
 * only an operator can mend; it is looked at every ten seconds.
 */
export type LinkState = 'connecting' | 'online' | 'suspect' | 'offline' | 'syncing' | 'blocked'

/** Why a link is offline or blocked. `with:<service>`: that service went offline by itself, and this one with it. */
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
  /** In a row. */
  readonly failures: number
  /** Since when it is in this state, ms since the epoch. */
  readonly changedAt: number
}

/** A link from this site to another. All nodes of the site agree on its state within a second. */
export interface LinkInfo {
  readonly to: string
  /** Of its services the worst. */
  readonly state: LinkState
  /** By the name of the service: they differ where one was taken offline alone. */
  readonly services: Readonly<Record<string, ServiceLink>>
  readonly reason?: LinkReason
  /** What an operator should do, where it is blocked: a sentence without a secret. */
  readonly message?: string
  /** In a row. */
  readonly failures: number
  /** When the first of these began, ms since the epoch. */
  readonly firstFailureAt?: number
  /** Since when it is in this state, ms since the epoch. */
  readonly changedAt: number
  /** Records that the other site has not heard of, of all partitions. One `*` stands for a whole partition. */
  readonly behind: number
  /** How long the last question to the other site took. */
  readonly rttMs?: number
  /** By how much the clock of the other site is ahead of that of this one. */
  readonly clockOffsetMs?: number
  /** How the other site sees its link to this one, where it could be asked. */
  readonly peerSeesUs?: LinkState
  /** Verbs of this node that resolved, or rejected, without its confirmation, though they waited for it. */
  readonly unconfirmed: number
}

/** How a site comes back. */
export interface BringOnlineOptions {
  /** Only this service, which was taken offline alone. */
  readonly spi?: string
  readonly push?: 'both' | 'out' | 'in' | 'none'
  readonly acceptResurrection?: boolean
}

/** How long {@link CrossSite.barrier} waits. */
export interface BarrierOptions {
  /** 60,000 at most. @default 1_000 */
  readonly waitMs?: number
}

/** Hears of a change of a link. */
export type LinkListener = (link: Omit<LinkInfo, 'behind'>) => void

/** Keeps this site in step with others, from this node. */
export interface CrossSite {
  /** The site that this is. */
  readonly site: string

  /** All links from this site. */
  links(): Promise<readonly LinkInfo[]>

  /**
   * Tells a site nothing more, from every node, until {@link bringOnline}: call it before that site is worked on. What changes
   * meanwhile is remembered, once per record. Nodes learn of it within a second. Twice is the same as once.
   *
   * It is one direction: what the other site tells this one is for an operator there. It never comes back by itself.
   *
   * @param options `spi`: only of this service.
   * @throws {TypeError} there is no such site, or it is told of no such service
   */
  takeOffline(site: string, options?: { readonly spi?: string }): Promise<void>

  /**
   * Tells a site again what changes, and what was remembered meanwhile: that is all that it missed. Ask for a push where that may not
   * be so, as after work on the data of a site.
   *
   * @param options `push`: `'out'` tells it besides what was written here since it was last seen, `'in'` has this site told what was
   *   written there, `'both'` does both. `'none'` forgets what was remembered: the site goes without it. `acceptResurrection`: also
   *   where it was away for longer than removals are remembered, so that sessions which ended since may come back from there.
   * @returns the pushes that this asked for
   * @throws {TypeError} there is no such site, or an option is unknown
   */
  bringOnline(site: string, options?: BringOnlineOptions): Promise<readonly PushInfo[]>

  /**
   * Tells a site what is here, removals included: call it after that site lost data. Nodes of this site do it, each of the
   * partitions that it reads, no faster than `maxRecordsPerSecond`; where one dies another goes on from where it came. What the other
   * site knows better is joined here. Resolves when it is asked for; the same once more, while it is under way, is that push.
   *
   * `mirror` then takes away from the other site what this one knows nothing of, unless it was written there since the push
   * was asked for. It cannot be taken back.
   *
   * @throws {TypeError} there is no such site or service, or an option is unknown
   */
  push(to: string, options?: PushOptions): Promise<PushInfo>

  /** The same the other way round: nodes of this site read at the other one. Nodes there need not run, nor find the way here. */
  pull(from: string, options?: PushOptions): Promise<PushInfo>

  /**
   * Pushes and pulls that this site asked for, the last first; those that are over for seven days.
   *
   * @param options `active`: only what is not over.
   */
  pushes(options?: { readonly active?: boolean }): Promise<readonly PushInfo[]>

  /**
   * Cancels, pauses or resumes a push; nodes see it with the next records, within a second. What was told stays. What is over stays as
   * it is.
   *
   * @returns `undefined`: there is no such push
   */
  controlPush(id: string, action: PushAction): Promise<PushInfo | undefined>

  /**
   * Compares what this site and another one hold: a count of living records and a digest of each of 256 parts per partition.
   * What differs is looked at three times, so that what is on its way is no difference. Resolves when nodes of this site have done it;
   * `controlPush` can cancel it, and then `isEqual` is `false`.
   *
   * @param options `repair`: tells each site what it lacks of the parts that differ.
   * @throws {TypeError} there is no such site or service, or an option is unknown
   */
  verify(site: string, options?: VerifyOptions): Promise<VerifyReport>

  /**
   * Says what this node has written until now, for {@link barrier} at another site: call it after a login, and send the token along
   * with the code that the other site will get. A short text of letters, digits, `.`, `-` and `~`, without anything personal. It is
   * shortest where other sites have heard of most already.
   *
   * It is about records that sites keep in step, and not about messages of the cluster.
   */
  token(): Promise<string>

  /**
   * Waits until this site has heard of what the token stands for: call it before you read what somebody wrote at another site a moment
   * ago, so that no verb there has to wait for this site. A token of this site itself is `true` at once.
   *
   * @returns `false`: not in that time, or this node closes. What you look for may still be missing here.
   * @throws {TypeError} no site gave such a token, or a site that is not known here
   * @throws {RangeError} `waitMs`
   */
  barrier(token: string, options?: BarrierOptions): Promise<boolean>

  /** Resolves when what changed at this site before the call was told to every site whose link is online, as far as this node tells. */
  caughtUp(): Promise<void>

  /**
   * Hears of what happens between sites, on this node: see docs/cross-site.md for what each event tells. `'*'` stands for all.
   *
   * @returns stops listening; calling it twice is the same as once
   * @throws {TypeError} there is no such event, or the listener is no function
   */
  on<Name extends keyof SiteEvents | '*'>(
    event: Name,
    listener: (
      event: Name extends keyof SiteEvents ? SiteEvents[Name] : SiteEvents[keyof SiteEvents],
    ) => unknown,
  ): () => void

  /** Hears of every change of a link. Answers what stops that. */
  onLink(listener: LinkListener): () => void

  /** What an operator should know. */
  warnings(): readonly string[]

  /** Tells no more. The connection to this site's Redis stays open. Twice is the same as once. */
  close(): Promise<void>
}

/** What a node begins with besides its configuration. */
export interface CrossSiteSurroundings {
  /** @default warnings and errors to standard error */
  readonly logger?: Logger
  /** How notes of changes are read. @default as `readChanges` does */
  readonly reading?: ChangeReaderOptions
  /** Clocks of the deployments of other sites, by their names, where such were given to them. @default each is measured */
  readonly clocks?: Readonly<Record<string, Clock>>
}

/** A configuration of sites that was checked. */
export interface CrossSitePlan {
  /** What `redis.changes.consumers` has to name on every node of this site. */
  readonly consumer: ChangeConsumer & { readonly kinds: string[] }

  /**
   * Begins, on a node. Call it on every node of the site, with the connection that the node's state uses.
   *
   * Sites that cannot be reached do not keep it from starting.
   *
   * @throws {ConfigurationError} the Redis of this site says that it is another site, is named as another site, or another one has
   *   another number of partitions; or `redis.changes.consumers` does not name the consumer
   */
  start(connection: RedisConnection, surroundings?: CrossSiteSurroundings): Promise<CrossSite>
}
