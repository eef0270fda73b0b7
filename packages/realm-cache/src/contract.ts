/**
 * A cache in front of the application's own database: realms, clients, users, authorization objects, keys.
 *
 * Values stay in the process that loaded them. If a region has `secondLevelTtlMs`, they are also in
 * Redis. Nodes send each other only the keys and tags that are no longer valid.
 *
 * @module
 */
import { defineSpi, type EventOf, type Provider } from '@authstate/spi'

/** Regions that always exist; an application adds others by naming them. */
export type WellKnownRegion = 'realms' | 'users' | 'authorization' | 'keys'

/** How a region behaves. The configuration of the provider wins over what code says here. */
export interface RegionOptions {
  /** Most values kept; the least recently used goes first. @default 10_000 (keys: 1_000) */
  readonly maxEntries?: number | undefined
  /** A value that was not read for this long is removed. 0: no limit. @default 0 (keys: 3_600_000, one hour) */
  readonly maxIdleMs?: number | undefined
  /** A value older than this is loaded again. 0: no limit. @default 0 */
  readonly ttlMs?: number | undefined
  /** How long it is remembered that the source has nothing. 0: not at all. @default 0 */
  readonly negativeTtlMs?: number | undefined
  /** Share of `ttlMs`, 0 to 0.5, by which a value may end early, at random: not all are loaded again at once. @default 0 */
  readonly jitter?: number | undefined
  /** How long a loader may take before its callers get an error. @default 30_000 (30 seconds) */
  readonly loadTimeoutMs?: number | undefined
  /**
   * If a loader takes longer than this, its callers get the expired value, if it expired no longer
   * than `staleIfErrorMs` ago. 0: callers wait. Never used for a value that was invalidated.
   * @default 0
   */
  readonly softTimeoutMs?: number | undefined
  /**
   * For how long after its end a value is still returned if the loader fails. 0: callers get the
   * error. Never used for a value that was invalidated. @default 0
   */
  readonly staleIfErrorMs?: number | undefined
  /**
   * `true`: if several nodes miss a key at once, one node asks the source first and the others wait for it.
   * @default false
   */
  readonly clusterSingleFlight?: boolean | undefined
  /** Names of regions this one is derived from: a tag invalidated there is invalidated here, a clear there clears here. */
  readonly dependencies?: readonly string[] | undefined
  /**
   * Set it for a slow source: a value is also kept in Redis, for at most this long, up to a day.
   * Other nodes, also new ones, look there before they ask the source. 0: values stay in the
   * process. Only values that JSON keeps unchanged, up to 1 MiB; encrypted if the configuration has
   * a keyring. Cannot be combined with `dependencies`. A store of one process does not have this
   * level. @default 0
   */
  readonly secondLevelTtlMs?: number | undefined
  /** `false`: every call goes to the loader and nothing is kept. @default true */
  readonly enabled?: boolean | undefined
}

/** What a loader gets. */
export interface LoadContext {
  readonly key: string
  /** Aborts when the loader's time is over; whatever it returns then is dropped. */
  readonly signal: AbortSignal
}

/** Reads the source. `undefined` or `null`: there is nothing; that is not kept unless `negativeTtlMs` is set. */
export type Loader<T> = (context: LoadContext) => T | null | undefined | Promise<T | null | undefined>

/** How a value is kept, and when a kept one will do. */
export interface GetOptions<T> {
  /** What else the value depends on; {@link CacheRegion.invalidate} takes a tag instead of keys. */
  readonly tags?: readonly string[] | ((value: T) => readonly string[]) | undefined
  /** Life of this value, instead of the region's. 0: it is not kept. Below 0: no limit. */
  readonly ttlMs?: number | ((value: T) => number) | undefined
  /**
   * Checks a kept value before it is returned, for lists and queries whose members may have been
   * removed. `false`: the value is dropped on this node and loaded again.
   */
  readonly isCurrent?: ((value: T) => boolean) | undefined
}

/** What is no longer valid: keys of the region, or everything that carries one of the tags. */
export type Invalidation =
  | string
  | readonly string[]
  | { readonly tag: string | readonly string[]; readonly keys?: readonly string[] | undefined }

/** A local cache of one kind of value, the same on every node but for what it happens to hold. */
export interface CacheRegion<T = unknown> {
  readonly name: string
  /** `false` when every call goes to the loader. */
  readonly enabled: boolean

  /**
   * Call it to read a value: it comes from this process if it is kept here and known to be valid, else from `load`.
   *
   * Callers that miss one key at the same time share one call of `load`. If the key, or a tag of
   * the value, is invalidated while `load` runs, the callers that were waiting get the value, but
   * it is not kept. A caller that came after the invalidation never gets it, and does not wait for
   * it. While messages may have been missed, nothing is kept, and calls that come while a load runs
   * share the next one. The value is shared: do not change it.
   *
   * @throws what `load` threw, for everyone who waited; nothing is kept
   * @throws {LoaderTimeoutError} `load` took longer than `loadTimeoutMs`
   * @throws {TypeError} `load` asked for its own key, or for a key whose loader needs this key: the
   * loads would wait for each other
   *
   * @example
   * ```ts
   * const users = state.realmCache.region<{ name: string }>('users')
   * const user = await users.get('u-1', async () => ({ name: 'ada' }), { tags: ['group:staff'] })
   * console.log(user?.name)
   * ```
   */
  get(key: string, load: Loader<T>, options?: GetOptions<T>): Promise<T | undefined>

  /** The value, without a promise, if it is kept here and known to be valid. Counts as a use. */
  peek(key: string): T | undefined

  /**
   * Call it to load a value again, although one is kept. {@link get} returns the old value until
   * the new one is loaded; if the load fails, the old value stays. All callers of one key share the
   * load, including calls of {@link get} that miss.
   *
   * @throws as {@link get}
   */
  refresh(key: string, load: Loader<T>, options?: GetOptions<T>): Promise<T | undefined>

  /**
   * Call it after you committed a change in your database. It removes keys, or all values with a
   * tag, on every node: on this node before the call returns, on others when the message arrives.
   * To collect several changes, use a {@link UnitOfWork}.
   *
   * @returns resolves when the message for the other nodes is safe in the store
   * @throws {StoreUnavailableError} the other nodes may not get the message; this node has removed
   * the values anyway. It is safe to repeat.
   *
   * @example
   * ```ts
   * await state.realmCache.region('users').invalidate('u-1') // after the change is committed
   * await state.realmCache.region('users').invalidate({ tag: 'group:staff' })
   * ```
   */
  invalidate(what: Invalidation): Promise<void>

  /** {@link invalidate} for everything in the region. */
  clear(): Promise<void>

  /** What the region has done on this node so far. */
  stats(): RegionStats
}

/** What a region has done on this node since it was made. */
export interface RegionStats {
  /** Values kept now. */
  readonly size: number
  readonly hits: number
  readonly misses: number
  /** `hits / (hits + misses)`; 0 before the first. */
  readonly hitRate: number
  /** Calls of a loader; a shared call counts once. */
  readonly loads: number
  readonly loadFailures: number
  /** Answers with an expired value, as `softTimeoutMs` and `staleIfErrorMs` allow. */
  readonly staleAnswers: number
  /** Values that were removed because the region was full, or because they were not read. */
  readonly evictions: number
  /** Keys, tags and clears that were invalidated, here or by another node. */
  readonly invalidations: number
  /** Loaded values that were not kept, because they were invalidated meanwhile. */
  readonly overtaken: number
  /**
   * Calls that bypassed the cache: the region is not enabled, the channel was lost, or a unit of work asked
   * for it.
   */
  readonly bypasses: number
  /** Age of the oldest value kept, in ms; 0 when there is none. */
  readonly oldestMs: number
  /** Times the region could not be trusted, because messages may have been missed. */
  readonly outages: number
  /** How long, in all, the region could not be trusted; an outage that lasts counts up to now. */
  readonly outageMs: number
  /** Where the region has `secondLevelTtlMs`, and the store such a level. */
  readonly secondLevel?: SecondLevelStats | undefined
}

/** What the second level of a region has done on this node. */
export interface SecondLevelStats {
  /** Values found there. */
  readonly hits: number
  /** Times it had none, or none that can be read. */
  readonly misses: number
  /** Values put there. */
  readonly stored: number
  /** Values that were not put there: something was invalidated meanwhile, or another caller was faster. */
  readonly refused: number
  /** Values that cannot be kept there: no plain data, or too large. */
  readonly unfit: number
  /** Times it did not answer. */
  readonly failures: number
  /** Times it was bypassed, because it did not answer lately or something may have been missed. */
  readonly bypasses: number
}

/** What happened to regions on this node, by type. An event without a region is about all regions. */
export interface RealmCacheEvents {
  /** Keys or tags were invalidated, here or by another node. */
  readonly invalidated: {
    readonly type: 'invalidated'
    readonly region: string
    readonly by: 'this-node' | 'another-node'
    readonly entries: number
  }
  /** A region was emptied. */
  readonly cleared: {
    readonly type: 'cleared'
    readonly region: string
    readonly by: 'this-node' | 'another-node' | 'gap'
  }
  /** Messages may have been missed: from now on everything is loaded. */
  readonly distrusted: { readonly type: 'distrusted'; readonly reason: DistrustReason }
  /** All caught up: values are kept again. */
  readonly trusted: { readonly type: 'trusted'; readonly afterMs: number }
}

/** One of {@link RealmCacheEvents}. */
export type RealmCacheEvent = RealmCacheEvents[keyof RealmCacheEvents]

/** Why the cache is not trusted. */
export type DistrustReason =
  /** There is no connection to the work channel. */
  | 'disconnected'
  /** No message came for longer than the bound. */
  | 'silence'
  /** Messages are lost for good. Regions empty themselves. */
  | 'gap'
  /** A node died, perhaps between a change and its announcement. Regions empty themselves. */
  | 'crash'

/**
 * Collects the invalidations of a piece of work, and sends them when the work has ended. Use it
 * around a database transaction.
 *
 * Inside, a key that the work has invalidated is always read from the source and never kept,
 * because other callers must not see what is not committed. Other values that the work loads are
 * kept only if they were not invalidated since the unit began, so a database snapshot older than a
 * change is not kept.
 */
export interface UnitOfWork extends AsyncDisposable {
  /** The region as this work sees it. */
  region<T = unknown>(name: WellKnownRegion | (string & {})): UnitOfWorkRegion<T>
  /**
   * Sends what was collected, in one message, whether the work was committed or not. Twice is the same as once.
   *
   * @throws {StoreUnavailableError} as {@link CacheRegion.invalidate}; may be called again
   */
  end(): Promise<void>
}

/** A region as a unit of work sees it: what the unit has invalidated is not read from the cache. */
export interface UnitOfWorkRegion<T = unknown> {
  /** As {@link CacheRegion.get}; straight from `load` for what the unit has invalidated. */
  get(key: string, load: Loader<T>, options?: GetOptions<T>): Promise<T | undefined>
  /** Takes effect in the unit at once, elsewhere when the unit ends. */
  invalidate(what: Invalidation): void
  /** {@link invalidate} for everything in the region. */
  clear(): void
}

/** The cache of a node. */
export interface RealmCacheProvider extends Provider {
  /**
   * The region of that name, made on first use with `options`. Later calls return the same region; options that
   * differ from the first are a `TypeError`.
   */
  region<T = unknown>(name: WellKnownRegion | (string & {}), options?: RegionOptions): CacheRegion<T>

  /** Names of the regions made so far. */
  regions(): readonly string[]

  /** Clears every region on every node. */
  clearAll(): Promise<void>

  /** Begins a unit of work. `await using` ends it. */
  begin(): UnitOfWork

  /**
   * Runs `work` in a unit that ends with it, whether it returns or throws. If the other nodes cannot be notified at once, that
   * is logged and the result is still returned; those nodes will see a gap.
   *
   * @example
   * ```ts
   * await state.realmCache.inUnitOfWork(async (unit) => {
   *   // … change the user in the database
   *   unit.region('users').invalidate('u-1')
   * })
   * ```
   */
  inUnitOfWork<R>(work: (unit: UnitOfWork) => R | Promise<R>): Promise<R>

  /**
   * Calls a listener for all events, or for one type of event. If a listener throws or rejects,
   * that is logged once and has no other effect. Returns a function that stops it.
   */
  on(listener: (event: RealmCacheEvent) => void): () => void
  on<Type extends RealmCacheEvent['type'] | '*'>(
    type: Type,
    listener: (event: EventOf<RealmCacheEvents, Type>) => void,
  ): () => void
}

/** Names the SPI in the registry and in configurations. */
export const realmCacheSpi = defineSpi<RealmCacheProvider>('realm-cache')
