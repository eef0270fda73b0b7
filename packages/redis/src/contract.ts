import { type Clock, defineSpi, type Provider } from '@authstate/spi'
import type { ChangeHandlers, ChangeReaderOptions, ChangeReading } from './changes/contract.js'
import type { RedisClient } from './client.js'
import type { KeySpace } from './key-space.js'
import type { Script, ScriptArgs } from './script.js'
import type { ConnectionSites, SiteFigures, SiteWatch } from './sites.js'

/** What a connection has done so far. */
export interface ConnectionStats {
  /** Commands sent, reloads of a script's source included. */
  readonly sent: number
  /** Commands that failed, for whatever reason. */
  readonly failed: number
  /** Times the source of a script had to be sent again (NOSCRIPT). */
  readonly reloaded: number
  /** Commands that wait for an answer now. */
  readonly pending: number
  /** Links to other sites, by their names; while this node keeps them in step. */
  readonly sites?: Readonly<Record<string, SiteFigures>>
}

/** One call of a script among several. */
export interface ScriptCall<K extends string, A extends string> {
  readonly keys: Readonly<Record<K, string>>
  readonly args: ScriptArgs<A>
}

/** A connection to one Redis deployment: the way every provider of this library reaches it. */
export interface RedisConnection extends Provider {
  readonly keys: KeySpace

  /** What there is of other sites, while this node keeps them in step. @default `undefined`: there are none */
  readonly sites?: ConnectionSites | undefined

  /** From now on verbs over this connection may wait for other sites; `undefined`: for none. */
  goWithSites(sites: ConnectionSites | undefined): void

  /**
   * Shows what is to be watched of other sites in `stats()` and `warnings()`: for the package that
   * keeps them in step on this node.
   *
   * @returns what shows it no more
   */
  watchSites(watch: SiteWatch): () => void

  /**
   * The clock that every node of the deployment goes by: that of Redis, whatever the host's wall clock says. A clock that was
   * given is that clock. Scripts take its time as an argument.
   */
  readonly clock: Clock

  /**
   * Whether Redis may evict records, or may have evicted some: `false` once every master has said
   * that its `maxmemory-policy` is `noeviction`, and none has said another since this node started.
   * Looked at before anything is served, every five seconds and after each reconnect. A verb that
   * looks after what can only have been evicted need not look meanwhile.
   */
  readonly mayEvict: boolean

  /**
   * The layout in which records are written now, 1 or 2. Each node goes over to a later one by itself, once all of them read it and
   * older versions have stopped. A store reads what either wrote.
   */
  readonly layout: number

  /**
   * Says that every node of the deployment reads the latest layout: it is recorded, older versions refuse to start and stop, and fifteen
   * seconds later `layout` is the new one. Does nothing where it is recorded already, or `redis.layout` is set.
   *
   * @throws {StoreUnavailableError} it may be recorded or not; say it again
   */
  raiseLayout(): Promise<void>

  /**
   * Runs a script: one command, one round trip, atomic.
   *
   * The source is sent only when the server does not have it. With `minReplicas` the answer to a
   * change or a removal of a record waits for the replicas. The answer to a change of times does
   * not.
   *
   * @throws {StoreUnavailableError} see its `applied`; a command past its deadline may be applied later
   * @throws {StoreCorruptError} a key holds a foreign type
   * @throws {ProviderClosedError} after `close()`
   */
  run<K extends string, A extends string, R>(
    script: Script<K, A, R>,
    keys: Readonly<Record<K, string>>,
    args: ScriptArgs<A>,
  ): Promise<R>

  /**
   * Runs a script once per call, all in one tick: one round trip per node. Each call is atomic, together they are
   * not. Waits for every answer; then the first failure is thrown, with `applied` `'unknown'` unless each call was refused.
   *
   * @param isBegun Calls of the same verb were made before: then it is never `'no'`.
   */
  runEach<K extends string, A extends string, R>(
    script: Script<K, A, R>,
    calls: readonly ScriptCall<K, A>[],
    isBegun?: boolean,
  ): Promise<R[]>

  /**
   * All fields of a hash; none if the key does not exist. For verbs that only read: cheaper than a script.
   *
   * @param operation SPI and verb, for errors: `'user-session.get'`
   */
  hgetall(operation: string, key: string): Promise<Readonly<Record<string, string>>>

  /**
   * The values of all fields of a hash, in no order; none if the key does not exist. Half of what `hgetall`
   * reads.
   */
  hvals(operation: string, key: string): Promise<readonly string[]>

  /** Some fields of a hash, `null` for each that is absent. */
  hmget(operation: string, key: string, fields: readonly string[]): Promise<(string | null)[]>
  /**
   * What is made of some fields of a hash, without one more promise.
   *
   * @param decode Makes the answer of them; `null` for each that is absent.
   */
  hmget<R>(
    operation: string,
    key: string,
    fields: readonly string[],
    decode: (values: (string | null)[]) => R | PromiseLike<R>,
  ): Promise<R>

  /** The text of a key, `null` when there is none. */
  get(operation: string, key: string): Promise<string | null>
  /**
   * What is made of the text of a key, without one more promise.
   *
   * @param decode Makes the answer of it; `null` when there is none.
   */
  get<R>(operation: string, key: string, decode: (text: string | null) => R): Promise<R>

  /** How many members of a sorted set have a score above `after`. */
  countAfter(operation: string, key: string, after: number): Promise<number>

  /**
   * A connection of its own for a command that waits for data, without a deadline per command. The caller ends it;
   * `close()` ends what is left.
   *
   * @param holdMs For how long Redis is asked to hold back an answer at most (BLOCK). Then a connection that went silent is cut
   *   `commandTimeoutMs` later; left out, only one that is being made is.
   * @param reconnects Whether it connects again by itself; `false` for a caller that opens the next one. @default true
   */
  openReader(holdMs?: number, reconnects?: boolean): Promise<RedisClient>

  /**
   * A connection of its own that subscribes, to the server that has a key: on a Cluster that server
   * has the channel with the name of the key (SSUBSCRIBE). The connection puts no prefix before the
   * name of a channel. The caller closes it; `close()` closes those that are left.
   *
   * @param key A key of this connection, as `keys` spells it.
   */
  openListener(key: string): Promise<RedisClient>

  /** Whether the deployment is a Redis Cluster. */
  readonly isCluster: boolean

  /**
   * Tells a consumer of changes, of which `redis.changes.consumers` names it. Call it on every node: of each partition one node
   * tells, under a lease, and another one goes on where that dies. At least once, and in order per record; see docs/changes.md.
   *
   * @param consumer Its name, as the configuration has it.
   * @throws {ConfigurationError} no consumer of this name is recorded
   * @throws {TypeError} a handler is none, or an option is unknown
   * @throws {ProviderClosedError} after `close()`
   */
  readChanges(consumer: string, handlers: ChangeHandlers, options?: ChangeReaderOptions): ChangeReading

  /** What the connection has done since it was opened. */
  stats(): ConnectionStats

  /**
   * Resolves when Redis answers and would take a write; nothing is written. Rejects like `run`, with a message that says what
   * is refused and why: a full server, too few replicas, a replica, a missing right.
   *
   * @throws {ConfigurationError} the deployment has another layout now; names both
   */
  checkHealth(): Promise<void>

  /** What an operator should know although Redis answers: a host clock that is off, a server that evicts. */
  warnings(): readonly string[]

  /** Ends the connection if the library made it. Commands in flight are waited for, within their deadline. */
  close(): Promise<void>
}

/** The connection that Redis providers share, as an SPI of its own: they depend on it. */
export const redisConnectionSpi = defineSpi<RedisConnection>('redis')
