/**
 * The part of an ioredis client (5.9 and later, 6) that this library calls: `Redis` or `Cluster`, from a URL of
 * ours or brought by the application. Structural, so that either version of ioredis type-checks against it.
 */
export interface RedisClient {
  readonly status: string
  readonly isCluster: boolean
  connect(): Promise<void>
  /** @param reconnect Connects again at its own pace; otherwise it has ended. */
  disconnect(reconnect?: boolean): void
  quit(): Promise<unknown>
  ping(): Promise<unknown>
  time(): Promise<unknown>
  evalsha(sha1: string, numberOfKeys: number, ...keysAndArgs: (string | number)[]): Promise<unknown>
  eval(source: string, numberOfKeys: number, ...keysAndArgs: (string | number)[]): Promise<unknown>
  hgetall(key: string): Promise<Record<string, string>>
  hvals(key: string): Promise<string[]>
  hmget(key: string, ...fields: string[]): Promise<(string | null)[]>
  get(key: string): Promise<string | null>
  zcount(key: string, min: number | string, max: number | string): Promise<number>
  // biome-ignore lint/suspicious/noExplicitAny: an event carries what its emitter says, and ioredis types it so
  on(event: string, listener: (...args: any[]) => void): unknown
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: string, listener: (...args: any[]) => void): unknown
}

/**
 * Members of ioredis that its types call private, or that differ between versions: read with care, never
 * required.
 */
export interface ClientInternals {
  readonly options?: {
    readonly host?: string
    readonly port?: number
    readonly path?: string
    readonly sentinels?: unknown
    readonly keyPrefix?: string
    readonly autoResendUnfulfilledCommands?: boolean
    readonly clusterNodeRetryStrategy?: unknown
    readonly retryStrategy?: unknown
    readonly clusterRetryStrategy?: unknown
    readonly sentinelCommandTimeout?: number
    readonly enableTLSForSentinelMode?: boolean
    readonly tls?: unknown
    readonly enableAutoPipelining?: boolean
    readonly retryDelayOnFailover?: number
    readonly scaleReads?: unknown
    readonly redisOptions?: ClientInternals['options']
    readonly stringNumbers?: boolean
    autoPipeliningIgnoredCommands?: readonly string[]
  }
  readonly stream?: BatchableStream | null
  /** Commands that were sent and not answered. */
  readonly commandQueue?: {
    readonly length: number
    toArray?(): readonly { readonly command: SentCommand }[]
  }
  reconnectTimeout?: NodeJS.Timeout | null
  /** Whether `disconnect()` was called, and nothing has come of it yet. */
  readonly manuallyClosing?: boolean
  nodes?(role?: string): RedisClient[]
  /** Of a Cluster, by number: host and port of the master, then of its replicas. */
  readonly slots?: readonly (readonly string[] | undefined)[]
  sendCommand?: SendCommand
}

export type SendCommand = (this: unknown, command: SentCommand, ...rest: unknown[]) => unknown

/** A command on its way to the socket. */
export interface SentCommand {
  readonly name: string
  args: unknown[]
  promise: Promise<unknown>
  reject(error: unknown): void
  /** `true`: ioredis has reported it to its tracing channel. */
  isTraced?: boolean
  getKeys?(): unknown
  toWritable(socket: unknown): unknown
}

/** A socket, as far as batching its writes and watching its silence need it. */
export interface BatchableStream {
  cork(): void
  uncork(): void
  write(...args: never[]): boolean
  readonly bytesRead?: number
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  readonly destroyed?: boolean
  destroy?(error?: Error): unknown
}

export const internals = (client: RedisClient): ClientInternals => client as unknown as ClientInternals
