/**
 * Lets several nodes act as one: which nodes live, messages between them, tasks that run on one node only.
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

/** The nodes that live, as of a version that every node counts in the same way. */
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
  /** Stopped without leaving: events that they had not published yet are lost. */
  readonly crashed: readonly ClusterNode[]
}

/**
 * Which nodes get an event. A site is known by its name; if the sender has none, `site` and `other-sites`
 * mean `all`.
 *
 * If sites with a Redis of their own are kept in step (docs/cross-site.md), `all` and `other-sites` reach the nodes of every site. `others`
 * and `site` stay with the nodes on one store.
 */
export type Scope =
  /** Every node, the sender among them. */
  | 'all'
  /** Every node on the store but the sender. */
  | 'others'
  /** The nodes of the sender's site. */
  | 'site'
  /** The nodes of all sites but the sender's. */
  | 'other-sites'

/** Which nodes get an event. */
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

/** What a subscriber gets in addition to events. */
export interface SubscribeOptions {
  /** Called, in order with the events, when some events cannot be delivered. Their content is unknown. */
  readonly onGap?: ((reason: GapReason) => void | Promise<void>) | undefined
}

/** What the work channel can promise at the moment. */
export interface ChannelStatus {
  /** `'live'`: everything published before `heardAt` has arrived. */
  readonly state: 'live' | 'catching-up' | 'disconnected'
  /** Instant, by the provider's clock, up to which nothing has been missed. */
  readonly heardAt: number
  /**
   * How long ago that was, in ms, by a monotonic clock. Use it to bound the silence. Absent for
   * providers without a monotonic clock.
   */
  readonly silentMs?: number | undefined
}

/** A lease that is held, as the work under it sees it. */
export interface Lease {
  /**
   * Fencing token. It is larger than that of every earlier holder of the same key. It is also not
   * below the provider's clock, so it grows even if a failover lost the last one. Pass it to the
   * system that the work writes to, and let that system refuse a smaller one.
   */
  readonly fence: number
  /** Aborts when the lease is lost or its time is over. */
  readonly signal: AbortSignal
  /**
   * Whether the lease is certainly held at this instant. Ask before each step: after a pause of the
   * process its timers may not have run yet.
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

/** {@link RunOnceOptions} for callers that want the result of the node that runs the task. */
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

/** An owner of locks. It holds one namespace at a time. @see Keycloak: an instance of DBLockProvider */
export interface LockSession {
  /** The namespace held now. */
  readonly current: string | undefined
  /** As {@link ClusterProvider.withLock}. */
  withLock<R>(namespace: string, options: LockOptions, work: (lease: Lease) => R | Promise<R>): Promise<R>
}

/**
 * The nodes on one store: which of them live, events between them, and leases. In memory there is one node,
 * this one.
 */
export interface ClusterProvider extends Provider {
  /** This node. */
  readonly node: ClusterNode

  /** The nodes that live, as this node knows them: at most one heartbeat old while the store answers. */
  view(): ClusterView

  /** Asks the store which nodes live, and announces this node, without waiting for the next heartbeat. */
  refresh(): Promise<ClusterView>

  /**
   * Calls the listener with every new view, in order of version. If a listener throws or rejects,
   * that is logged once and has no other effect.
   *
   * A node that is shut down leaves at once. A node that crashes is removed within the configured time.
   *
   * @returns how to stop
   */
  onViewChange(listener: (view: ClusterView, change: ViewChange) => void): () => void

  /**
   * Call it to send an event to the nodes that subscribe to the topic.
   *
   * Every running node gets the events of one sender in the order of the calls, each once. After a
   * lost connection it gets the events that it missed, or its `onGap` is called. `undefined` and an
   * empty list are not sent.
   *
   * @param event Plain data: it travels as JSON.
   * @returns resolves when the event is safe in the store
   * @throws {StoreUnavailableError} it could not be stored within the configured time. `applied:
   * 'unknown'`: some nodes may get it; for the others `onGap` is called.
   *
   * @example
   * ```ts
   * await state.cluster.publish('settings', { changed: 'theme' })
   * ```
   */
  publish(topic: string, event: unknown, options?: PublishOptions): Promise<void>

  /**
   * Calls the listener for every event of the topic from now on. It gets one event at a time: if it
   * returns a promise, its next event waits for that. A listener that is slow or throws does not
   * delay other listeners.
   *
   * @returns how to stop
   *
   * @example
   * ```ts
   * const stop = state.cluster.subscribe<{ changed: string }>('settings', ({ changed }) => console.log(changed))
   * stop()
   * ```
   */
  subscribe<E = unknown>(
    topic: string,
    listener: (event: E, info: EventInfo) => void | Promise<void>,
    options?: SubscribeOptions,
  ): () => void

  /** Whether the work channel can be relied on now. */
  channel(): ChannelStatus

  /**
   * Calls the listener when {@link ChannelStatus.state} changes. If a listener throws or rejects,
   * that is logged once and has no other effect. Returns a function that stops it.
   */
  onChannelChange(listener: (status: ChannelStatus) => void): () => void

  /**
   * Call it on every node for a task that only one node should do. Of n concurrent calls with one
   * key, on any nodes, one executes the task and the others return at once.
   *
   * The lease is renewed while the task runs, and released when the task returns or throws. Only
   * its holder can release it. If the holder dies, the first call after `leaseMs` executes the
   * task.
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
   * Like {@link runOnce}, but the calls that do not execute the task wait for its result.
   *
   * Calls with one key on one node share one answer. The result travels as JSON.
   *
   * @returns `'executed'` here; `'completed'` by another node, with its result; `'failed'` if the
   * task threw there; `'unknown'` if no result came in time, for example because that node died.
   */
  runOnceOrWait<R>(
    key: string,
    options: RunOnceOrWaitOptions,
    task: (lease: Lease) => R | Promise<R>,
  ): Promise<RunOnceOrWaitResult<R>>

  /**
   * Call it for work that must not run twice at the same time. It waits for the lock of the
   * namespace, over all nodes, and then runs the work.
   *
   * Do not nest calls. Inside the work, a call for the same namespace logs a warning and takes no
   * second lock. A call for another namespace is refused, since two nodes that nest in different
   * orders would wait for ever. If you need both, take a {@link lockSession} for each.
   *
   * @throws {ConflictError} the lock was not free within `waitMs`, or this session holds another namespace
   * @throws {StoreUnavailableError} the store did not answer within `waitMs`
   * @throws what the work threw
   *
   * @example
   * ```ts
   * await state.cluster.withLock('migration', { waitMs: 10_000 }, async (lease) => {
   *   if (lease.held()) console.log('on one node at a time')
   * })
   * ```
   */
  withLock<R>(namespace: string, options: LockOptions, work: (lease: Lease) => R | Promise<R>): Promise<R>

  /** A new owner of locks, independent of the locks that the caller holds. */
  lockSession(): LockSession

  /**
   * When the first node of this cluster started, in ms since the epoch. The same on every node, and
   * kept over restarts.
   */
  startedAt(): Promise<number>
}

/** Names the SPI in the registry and in configurations. */
export const clusterSpi = defineSpi<ClusterProvider>('cluster')
