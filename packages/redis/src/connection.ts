import { type Clock, ConfigurationError, ProviderClosedError, systemClock } from '@authstate/spi'
import type { Noting } from './changes/consumers.js'
import type { ChangeHandlers, ChangeReaderOptions, ChangeReading } from './changes/contract.js'
import { ChangeReader } from './changes/reader.js'
import type { RedisClient } from './client.js'
import { followCommand, isFollowed, type PlainCommand } from './command.js'
import type { ConnectionParts } from './connection-parts.js'
import { asItIs, together } from './connection-steps.js'
import type { ConnectionStats, RedisConnection, ScriptCall } from './contract.js'
import { Deadlines } from './deadline.js'
import type { DeploymentClock } from './deployment-clock.js'
import { closedFor, isScriptMissing, notConnected, storeFailure } from './failure.js'
import type { KeySpace } from './key-space.js'
import { Forbidden, refusedWrite } from './refusals.js'
import type { Replicas } from './replicas.js'
import { isDurable, type Script, type ScriptArgs, scriptParameters } from './script.js'
import { checkWrite, readClock } from './scripts.js'
import type { ServerWatch } from './server-watch.js'
import type { ConnectionSites, SiteWatch } from './sites.js'

export class OpenConnection implements RedisConnection {
  readonly keys: KeySpace
  sites: ConnectionSites | undefined
  /** Where nothing is watched: the layout of those to whom it leads. */
  layoutOfOthers = 1
  #siteWatch: SiteWatch | undefined
  readonly #client: RedisClient
  readonly #parts: ConnectionParts
  readonly #deadlines: Deadlines
  readonly #readers = new Set<RedisClient>()
  /** Holds back the answers to writes; `undefined`: the master's word is enough. */
  #replicas: Replicas | undefined
  /** `undefined`: a clock was given. */
  #clock: DeploymentClock | undefined
  /** `undefined`: it has not begun. */
  #watch: ServerWatch | undefined
  #refusal: string | undefined
  /** `undefined`: changes have no consumer. */
  #noting: Noting | undefined
  readonly #changeReaders = new Set<ChangeReader>()
  readonly #forbidden = new Forbidden()
  #closing: Promise<void> | undefined
  #sent = 0
  #failed = 0
  #reloaded = 0

  constructor(parts: ConnectionParts) {
    this.keys = parts.keys
    this.#client = parts.client
    this.#parts = parts
    this.#deadlines = new Deadlines(parts.commandTimeoutMs)
  }

  get clock(): Clock {
    return this.#clock ?? this.#parts.givenClock ?? systemClock
  }

  /** From now on nothing is sent while the time is not known, except for the question what it is. */
  goBy(clock: DeploymentClock): Promise<void> {
    this.#clock = clock
    return clock.start()
  }

  /** Sends what tells the time: the one kind of command that goes out before the time is known. */
  readTime<T, R>(
    kind: typeof readClock | 'TIME',
    send: (client: RedisClient) => Promise<T>,
    decode: (reply: T) => R,
  ): Promise<R> {
    return this.#sendNow(readClock.name, kind, () => send(this.#client), decode)
  }

  /** What is noted of changes; `undefined`: no consumer asks. */
  get noting(): Noting | undefined {
    return this.#noting
  }
  /** From now on scripts note what is asked for; `undefined`: nothing. */
  note(noting: Noting | undefined): void {
    this.#noting = noting
  }

  goWithSites(sites: ConnectionSites | undefined): void {
    this.sites = sites
  }

  readChanges(consumer: string, handlers: ChangeHandlers, options: ChangeReaderOptions = {}): ChangeReading {
    this.#assertOpen('redis.changes')
    const reader = new ChangeReader({
      connection: this,
      logger: this.#parts.logger,
      consumer,
      handlers,
      options,
    })
    this.#changeReaders.add(reader)
    return reader
  }

  /** A reader has ended. */
  forgetReader(reader: ChangeReader): void {
    this.#changeReaders.delete(reader)
  }

  get mayEvict(): boolean {
    return this.#watch?.mayEvict ?? true
  }

  get layout(): number {
    return this.#watch?.layout ?? this.layoutOfOthers
  }

  async raiseLayout(): Promise<void> {
    await this.#watch?.raiseLayout()
  }

  /** From now on `health()` looks at the server through this. */
  goWatched(watch: ServerWatch): void {
    this.#watch = watch
  }

  /** Learns what is recorded now, and not what a look that runs has read already. */
  async lookAfresh(): Promise<void> {
    await this.#watch?.lookAfresh()
  }

  /** Why nothing is served; `undefined`: it is. */
  get refusal(): string | undefined {
    return this.#refusal
  }

  /** From now on everything is refused for this reason; `undefined`: nothing is. */
  refuseWith(reason: string | undefined): void {
    this.#refusal = reason
  }

  /** Sends a script although everything is refused. @param isLast Also while the connection is closing. */
  runAnyway<K extends string, A extends string, R>(
    script: Script<K, A, R>,
    keys: Readonly<Record<K, string>>,
    args: ScriptArgs<A>,
    isLast = false,
  ): Promise<R> {
    const parameters = scriptParameters(script, keys, args, this.#client.isCluster)
    return this.#sendNow(
      script.name,
      script,
      () => this.#client.evalsha(...parameters),
      script.decode,
      (error) => (isScriptMissing(error) ? this.#sendSource(script, parameters) : undefined),
      isLast,
    )
  }

  /** Asks something although everything is refused. */
  askAnyway<T>(operation: string, command: PlainCommand, ask: () => Promise<T>): Promise<T> {
    return this.#sendNow(operation, command, ask, asItIs<T>)
  }

  /** From now on a change is answered when replicas have it. */
  async waitFor(replicas: Replicas): Promise<void> {
    await this.#send('redis.wait', 'WAIT', () => replicas.check(), asItIs)
    this.#replicas = replicas
  }

  run<K extends string, A extends string, R>(
    script: Script<K, A, R>,
    keys: Readonly<Record<K, string>>,
    args: ScriptArgs<A>,
  ): Promise<R> {
    const text = this.#noting === undefined ? script : this.#noting.script(script)
    const parameters = scriptParameters(text, keys, args, this.#client.isCluster)
    if (this.sites !== undefined && text !== script) this.sites.changing(String(parameters[2]))
    const replicas = isDurable(script) ? this.#replicas : undefined
    const write = (send: () => Promise<unknown>) =>
      replicas === undefined ? send() : replicas.behind(String(parameters[2]), send)
    return this.#send(
      script.name,
      script,
      () => write(() => this.#client.evalsha(...parameters)),
      script.decode,
      (error) => (isScriptMissing(error) ? write(() => this.#sendSource(text, parameters)) : undefined),
    )
  }

  runEach<K extends string, A extends string, R>(
    script: Script<K, A, R>,
    calls: readonly ScriptCall<K, A>[],
    isBegun?: boolean,
  ): Promise<R[]> {
    const steps = calls.map(({ keys, args }) => this.run(script, keys, args))
    return together(script, steps, isBegun)
  }

  hgetall(operation: string, key: string): Promise<Readonly<Record<string, string>>> {
    return this.#send(operation, 'HGETALL', () => this.#client.hgetall(key), asItIs<Record<string, string>>)
  }

  hvals(operation: string, key: string): Promise<readonly string[]> {
    return this.#send(operation, 'HVALS', () => this.#client.hvals(key), asItIs<string[]>)
  }

  hmget<R = (string | null)[]>(
    operation: string,
    key: string,
    fields: readonly string[],
    decode: (values: (string | null)[]) => R | PromiseLike<R> = asItIs as never,
  ): Promise<R> {
    return this.#send(operation, 'HMGET', () => this.#client.hmget(key, ...fields), decode)
  }

  get<R = string | null>(
    operation: string,
    key: string,
    decode: (text: string | null) => R = asItIs as never,
  ): Promise<R> {
    return this.#send(operation, 'GET', () => this.#client.get(key), decode)
  }

  countAfter(operation: string, key: string, after: number): Promise<number> {
    const count = () => this.#client.zcount(key, `(${after}`, '+inf')
    return this.#send(operation, 'ZCOUNT', count, asItIs<number>)
  }

  openReader(holdMs?: number, reconnects?: boolean): Promise<RedisClient> {
    return this.#openBeside(() => this.#parts.makeReader(holdMs, reconnects))
  }

  openListener(key: string): Promise<RedisClient> {
    return this.#openBeside(() => this.#parts.makeListener(key))
  }

  get isCluster(): boolean {
    return this.#client.isCluster
  }

  /** Opens a connection beside the one that commands go over. */
  async #openBeside(make: () => Promise<RedisClient>): Promise<RedisClient> {
    this.#assertOpen('redis')
    const reader = await make()
    if (this.#closing) {
      reader.disconnect()
      throw new ProviderClosedError('redis: the connection is closed')
    }
    this.#readers.add(reader)
    reader.on('end', () => this.#readers.delete(reader))
    return reader
  }

  watchSites(watch: SiteWatch): () => void {
    this.#siteWatch = watch
    return () => {
      if (this.#siteWatch === watch) this.#siteWatch = undefined
    }
  }

  stats(): ConnectionStats {
    return {
      sent: this.#sent,
      failed: this.#failed,
      reloaded: this.#reloaded,
      pending: this.#deadlines.pending,
      ...(this.#siteWatch !== undefined && { sites: this.#siteWatch.figures() }),
    }
  }

  async checkHealth(): Promise<void> {
    await this.askAnyway('redis.check-health', 'PING', () => this.#client.ping())
    await this.#watch?.look()
    if (this.#refusal !== undefined) throw new ConfigurationError(this.#refusal)
    // On a Cluster each master is asked, through whatever partitions it has.
    const partitions = this.#client.isCluster ? this.keys.all : [0]
    const calls = partitions.map((at) => ({ keys: { absent: this.keys.key(at, 'none') }, args: {} }))
    await this.runEach(checkWrite, calls).catch((error: unknown) => {
      throw refusedWrite(error)
    })
    this.#forbidden.check()
  }

  warnings(): readonly string[] {
    const ofClock = this.#clock?.warning
    return [
      ...(ofClock === undefined ? [] : [ofClock]),
      ...(this.#watch?.warnings ?? []),
      ...[...this.#changeReaders].flatMap((reader) => reader.warnings()),
      ...(this.#siteWatch?.warnings() ?? []),
    ]
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  /** The one way to Redis, within the deadline. @param again What to send instead of what failed; `undefined`: nothing. */
  #send<T, R>(
    operation: string,
    kind: Script | PlainCommand,
    send: () => Promise<T>,
    decode: (reply: T) => R | PromiseLike<R>,
    again?: (error: unknown) => Promise<T> | undefined,
  ): Promise<R> {
    if (this.#refusal !== undefined && !this.#closing) {
      this.#failed += 1
      return Promise.reject(new ConfigurationError(this.#refusal))
    }
    if (this.#clock?.isKnown === false && !this.#closing) {
      this.#failed += 1
      return Promise.reject(notConnected(operation, this.#clock.failure))
    }
    return this.#sendNow(operation, kind, send, decode, again)
  }

  #sendNow<T, R>(
    operation: string,
    kind: Script | PlainCommand,
    send: () => Promise<T>,
    decode: (reply: T) => R | PromiseLike<R>,
    again?: (error: unknown) => Promise<T> | undefined,
    isLast = false,
  ): Promise<R> {
    if (this.#closing && !isLast) return Promise.reject(closedFor(operation))
    if (this.#client.status !== 'ready') {
      this.#failed += 1
      return Promise.reject(notConnected(operation))
    }
    if (!isFollowed()) return this.#exchange(operation, send, decode, again)
    const command = { operation, kind, client: this.#client, node: this.#parts.node }
    return followCommand(command, (onSource) =>
      this.#exchange(operation, send, decode, (error) => {
        const next = again?.(error)
        if (next !== undefined) onSource()
        return next
      }),
    )
  }

  #exchange<T, R>(
    operation: string,
    send: () => Promise<T>,
    decode: (reply: T) => R | PromiseLike<R>,
    again?: (error: unknown) => Promise<T> | undefined,
  ): Promise<R> {
    this.#sent += 1
    // One promise for all of it: every further one costs as much as the rest of this method.
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        this.#failed += 1
        this.#parts.onFailure(error)
        this.#forbidden.noteFailure(operation, error)
        reject(storeFailure(operation, error, this.#parts.mayRepeat))
      }
      const wait = this.#deadlines.begin(fail)
      const failed = (error: unknown) => {
        if (this.#deadlines.end(wait)) fail(error)
      }
      const answered = (reply: T) => {
        if (!this.#deadlines.end(wait)) return
        if (this.#forbidden.size > 0) this.#forbidden.noteSuccess(operation)
        try {
          resolve(decode(reply))
        } catch (error) {
          reject(error)
        }
      }
      const refused = (error: unknown) => {
        const next = wait.ended ? undefined : again?.(error)
        if (next === undefined) failed(error)
        else next.then(answered, failed)
      }
      try {
        send().then(answered, refused)
      } catch (error) {
        failed(error)
      }
    })
  }

  #sendSource({ lua }: Script, [, ...rest]: ReturnType<typeof scriptParameters>): Promise<unknown> {
    this.#sent += 1
    this.#reloaded += 1
    return this.#client.eval(lua, ...rest)
  }

  #assertOpen(operation: string): void {
    if (this.#closing) throw closedFor(operation)
  }

  async #end(): Promise<void> {
    await Promise.all([...this.#changeReaders].map((reader) => reader.close()))
    this.#clock?.close()
    for (const reader of this.#readers) reader.disconnect()
    await this.#deadlines.idle()
    this.#parts.end()
  }
}
