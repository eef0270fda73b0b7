/**
 * What lets several nodes act as one: who is there, telling each other, doing a thing once.
 *
 * @module
 */
import { defineSpi, type NodeIdentity, type Provider } from '@authstate/spi'

/** A node of the cluster, as the others see it. */
export interface ClusterNode extends NodeIdentity {
  /** Names one run of the process: a restart under the same name has another. */
  readonly incarnation: string
  /** When it joined, in ms since the epoch. */
  readonly joinedAt: number
}

/** Who lives, as of a version that every node counts alike. */
export interface ClusterView {
  /** Living nodes, ordered by name. */
  readonly nodes: readonly ClusterNode[]
  /** Grows by one with every join, leave and crash. */
  readonly version: number
}

/** What differs between a view and the one before it. */
export interface ViewChange {
  readonly joined: readonly ClusterNode[]
  /** Shut down properly. */
  readonly left: readonly ClusterNode[]
  /** Stopped without a word: what it had not yet told, nobody will hear. */
  readonly crashed: readonly ClusterNode[]
}

/** Who gets an event. A site is known by its name; where the sender has none, `site` and `other-sites` mean `all`. */
export type Scope =
  /** Every node, the sender among them. */
  | 'all'
  /** Every node but the sender. */
  | 'others'
  /** The nodes of the sender's site. */
  | 'site'
  /** The nodes of all sites but the sender's. */
  | 'other-sites'

/** Who gets an event. */
export interface PublishOptions {
  /** @default 'all' */
  readonly scope?: Scope | undefined
  /** Leaves the sender out, whatever the scope. @default false */
  readonly skipSender?: boolean | undefined
}

/** About an event that arrived. */
export interface EventInfo {
  readonly topic: string
  /** Unique; the same when an event is seen again. */
  readonly id: string
  /** The node that published it. */
  readonly sender: { readonly name: string; readonly site?: string | undefined; readonly incarnation: string }
}

/** Why events are missing for good. */
export type GapReason =
  /** The channel keeps a bounded number of events; this node was away for longer than they last. */
  | 'trimmed'
  /** The store lost what it had acknowledged, for example in a failover. */
  | 'lost'
  /** A sender gave up on events that it could not store. */
  | 'abandoned'
  /** The listener was so slow that its queue overflowed. */
  | 'overrun'

/** What a subscriber wants to hear besides events. */
export interface SubscribeOptions {
  /** Told, in order with the events, that some cannot be delivered. What they would have said is unknown. */
  readonly onGap?: ((reason: GapReason) => void | Promise<void>) | undefined
}

/** What the work channel can promise at the moment. */
export interface ChannelStatus {
  /** `'live'`: everything published before `heardAt` has arrived. */
  readonly state: 'live' | 'catching-up' | 'disconnected'
  /** Instant, by the provider's clock, up to which nothing has been missed. */
  readonly heardAt: number
  /**
   * How long ago that was, in ms, by a watch that does not step when a clock is set: for whoever bounds the silence. Left out by
   * providers without such a watch.
   */
  readonly silentMs?: number | undefined
}

/** A lease that is held, as the work under it sees it. */
export interface Lease {
  /**
   * Fencing token: larger than that of every earlier holder of the same key, and not below the provider's clock, so that
   * this holds even where a failover lost the last one. Hand it to what the work writes to, and let that refuse a
   * smaller one.
   */
  readonly fence: number
  /** Aborts when the lease is lost or its time is over. */
  readonly signal: AbortSignal
  /**
   * Whether the lease is certainly held at this instant. A process that was paused asks this before it acts: its
   * timers may not have run yet.
   */
  held(): boolean
}

/** How a task is kept to one node. */
export interface RunOnceOptions {
  /** How long a holder that has died keeps others away. Renewed while the task runs. @default 30_000 (30 seconds) */
  readonly leaseMs?: number | undefined
}

/** Whether the task ran here, and what it returned. */
export type RunOnceResult<R> = { readonly executed: true; readonly result: R } | { readonly executed: false }

/** {@link RunOnceOptions} for callers that want the result of whoever runs the task. */
export interface RunOnceOrWaitOptions extends RunOnceOptions {
  /** How long to wait for the result of another node. @default leaseMs */
  readonly waitMs?: number | undefined
}

/** @see ClusterProvider.runOnceOrWait */
export type RunOnceOrWaitResult<R> =
  | { readonly outcome: 'executed' | 'completed'; readonly result: R }
  | { readonly outcome: 'failed' | 'unknown' }

/** How a lock is asked for. */
export interface LockOptions {
  /** How long to wait for the lock. @default 900_000 (15 minutes) */
  readonly waitMs?: number | undefined
  /** How long a holder that has died keeps others away. Renewed while the work runs. @default 30_000 (30 seconds) */
  readonly leaseMs?: number | undefined
}

/** One who locks. It holds one namespace at a time. @see Keycloak: an instance of DBLockProvider */
export interface LockSession {
  /** The namespace held now. */
  readonly current: string | undefined
  /** As {@link ClusterProvider.withLock}. */
  withLock<R>(namespace: string, options: LockOptions, work: (lease: Lease) => R | Promise<R>): Promise<R>
}

/** The nodes on one store: who is there, events between them, and leases. In memory there is one node, this one. */
export interface ClusterProvider extends Provider {
  /** This node. */
  readonly node: ClusterNode

  /** Who lives, as this node knows it: at most one heartbeat old while the store answers. */
  view(): ClusterView

  /** Asks the store who lives, and says that this node does, without waiting for the next heartbeat. */
  refresh(): Promise<ClusterView>

  /**
   * Tells of every new view, in order of version. A listener that throws, or rejects when it is an async function, is logged
   * once and disturbs nobody.
   *
   * A node that is shut down leaves at once. One that crashes is gone within the configured time.
   *
   * @returns how to stop
   */
  onViewChange(listener: (view: ClusterView, change: ViewChange) => void): () => void

  /**
   * Sends an event to the nodes that subscribe to the topic.
   *
   * Every node that is up gets the events of one sender in the order of the calls, each once; after a lost
   * connection it gets what it missed, or is told of a gap. `undefined` and an empty list are not sent.
   *
   * @param event Plain data: it travels as JSON.
   * @returns resolves when the event is safe in the store
   * @throws {StoreUnavailableError} it could not be stored within the configured time. `applied: 'unknown'`: some may
   *   get it. The others will be told of a gap.
   */
  publish(topic: string, event: unknown, options?: PublishOptions): Promise<void>

  /**
   * Calls the listener for every event of the topic from now on. It gets one event at a time: when it returns a promise, the
   * next event waits for it. A listener that is slow or throws holds up no other.
   *
   * @returns how to stop
   */
  subscribe<E = unknown>(
    topic: string,
    listener: (event: E, info: EventInfo) => void | Promise<void>,
    options?: SubscribeOptions,
  ): () => void

  /** Whether the work channel can be relied on now. */
  channel(): ChannelStatus

  /**
   * Tells when {@link ChannelStatus.state} changes. A listener that throws, or rejects when it is an async function, is
   * logged once and disturbs nobody. Returns how to stop.
   */
  onChannelChange(listener: (status: ChannelStatus) => void): () => void

  /**
   * Runs the task unless it runs somewhere already: of n concurrent calls with one key, on whatever nodes, one executes
   * and the others return at once.
   *
   * The lease is renewed while the task runs and given back when it ends, whether it returns or throws; nobody gives
   * back the lease of another. When the holder dies, the next call after `leaseMs` executes.
   *
   * @throws what the task threw
   *
   * @example
   * ```ts
   * await state.cluster.runOnce('send the daily report', { leaseMs: 60_000 }, async () => {
   *   console.log('on one node only')
   * })
   * ```
   */
  runOnce<R>(
    key: string,
    options: RunOnceOptions,
    task: (lease: Lease) => R | Promise<R>,
  ): Promise<RunOnceResult<R>>

  /**
   * Like {@link runOnce}, but whoever does not execute waits for the one who does.
   *
   * Calls with one key on one node share one answer. The result travels as JSON.
   *
   * @returns `'executed'` here; `'completed'` by another node, with its result; `'failed'` when the task threw there;
   *   `'unknown'` when nothing was heard in time, for example because that node died.
   */
  runOnceOrWait<R>(
    key: string,
    options: RunOnceOrWaitOptions,
    task: (lease: Lease) => R | Promise<R>,
  ): Promise<RunOnceOrWaitResult<R>>

  /**
   * Runs the work while nobody else, on whatever node, runs work under the same namespace; waits for that.
   *
   * Called again inside the work: the same namespace is a warning and no second lock, another one is refused,
   * since two nodes that nest in different orders would wait for ever. Who needs both takes a {@link lockSession} for each.
   *
   * @throws {ConflictError} the lock was not free within `waitMs`, or this session holds another namespace
   * @throws {StoreUnavailableError} the store did not answer within `waitMs`
   * @throws what the work threw
   */
  withLock<R>(namespace: string, options: LockOptions, work: (lease: Lease) => R | Promise<R>): Promise<R>

  /** A locker of its own, independent of whatever the caller holds. */
  lockSession(): LockSession

  /**
   * When the first node of this cluster started, in ms since the epoch. The same on every node, and
   * kept over restarts.
   */
  startedAt(): Promise<number>
}

/** Names the SPI in the registry and in configurations. */
export const clusterSpi = defineSpi<ClusterProvider>('cluster')
