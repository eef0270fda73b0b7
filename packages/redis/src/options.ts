import { ConfigurationError, parseDuration } from '@authstate/spi'
import { inheritedNames, isPlainObject } from '@authstate/spi/internal'
import * as v from 'valibot'
import { nameOf } from './changes/consumers.js'
import { internals, type RedisClient } from './client.js'
import type { CredentialsSource } from './credentials.js'
import { MAX_PARTITIONS } from './key-space.js'
import { describeMistake, unknownOption } from './mistakes.js'
import { contradictions, WAYS } from './way-in.js'

const wholeNumber = (least: number, most: number) =>
  v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(least), v.maxValue(most))
const spanMs = (least: number, most: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    wholeNumber(least, most),
  )
const port = wholeNumber(1, 65_535)
const text = v.pipe(v.string(), v.minLength(1))
const options = v.custom<Readonly<Record<string, unknown>>>(isPlainObject, 'must be an object of options')
const address = v.union([
  v.pipe(v.string(), v.regex(/^[^\s:]+(:\d+)?$/, 'must be host or host:port')),
  v.strictObject({ host: text, port: v.optional(port) }),
])
const secret = v.pipe(v.string(), v.minLength(1), v.metadata({ secret: true }))

const consumerName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be 1 to 32 of a-z, 0-9 and "-", and begin with a letter'),
)

/** A consumer of changes: its name alone asks for notes of every change, without details. */
const consumer = v.union([
  consumerName,
  v.strictObject({
    name: consumerName,
    /** Kinds of records; left out: all. */
    kinds: v.optional(
      v.pipe(v.array(v.pipe(v.string(), v.regex(/^[a-z-]+$/, 'must be a kind of record'))), v.minLength(1)),
    ),
    /** `endings`: only of what ends. */
    notes: v.optional(v.picklist(['all', 'endings'])),
    /** Whether the note of an ending says what ended. */
    details: v.optional(v.boolean()),
  }),
])

const changes = v.pipe(
  v.strictObject({
    /** Consumers for which every node of the deployment notes changes. */
    consumers: v.optional(v.array(consumer), []),
    /** Notes that a partition keeps at most for a consumer that does not read. */
    maxNotes: v.optional(wholeNumber(1_000, 10_000_000), 100_000),
    /** Consumers that are recorded and shall be removed. */
    drop: v.optional(v.array(consumerName), []),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const { consumers, drop } = dataset.value
    const names = consumers.map(nameOf)
    if (new Set(names).size < names.length) addIssue({ message: 'must name each of its consumers once' })
    if (drop.some((name) => names.includes(name)))
      addIssue({ message: 'must not drop what is among its consumers' })
  }),
)

/** The properties of the `redis` section, as a schema. */
export const redisConfig = v.pipe(
  v.strictObject({
    /** `redis://user:password@host:port/db`, or `rediss://` for TLS. */
    url: v.optional(
      v.pipe(
        v.string(),
        v.check(
          isAddress,
          'must be an address such as redis://host:6379, rediss://host:6379 or unix:///path',
        ),
      ),
    ),
    /** An ioredis `Redis` or `Cluster` of the application (5.9 or later, 6). It stays open. */
    client: v.optional(
      v.custom<RedisClient>((value) => isClient(value), 'must be an ioredis client (Redis or Cluster)'),
    ),
    /** Addresses of sentinels; needs `name`. */
    sentinels: v.optional(v.pipe(v.array(address), v.minLength(1))),
    /** Name of the master that the sentinels watch. */
    name: v.optional(text),
    /** Addresses of some nodes of a Cluster. */
    nodes: v.optional(v.pipe(v.array(address), v.minLength(1))),
    /** ACL user. */
    username: v.optional(text),
    /** Password of the user. */
    password: v.optional(secret),
    /**
     * A function that answers `{ username, password }`, or a promise of it: for passwords and tokens that rotate. It is asked before each
     * connection is made. In place of `username`, `password` and those in `url`.
     */
    credentials: v.optional(
      v.pipe(
        v.custom<CredentialsSource>((value) => typeof value === 'function', 'must be a function'),
        v.metadata({ secret: true }),
      ),
    ),
    /** ACL user of the sentinels. */
    sentinelUsername: v.optional(text),
    /** Password of that user. */
    sentinelPassword: v.optional(secret),
    /** TLS to the sentinels: `true`, or options of `tls.connect`. */
    sentinelTls: v.optional(v.union([v.boolean(), options])),
    /** Number of the database; not on a Cluster. */
    db: v.optional(wholeNumber(0, 1_000_000)),
    /** TLS to Redis: `true` with the authorities of the system, or options of `tls.connect`. */
    tls: v.optional(v.union([v.boolean(), options])),
    /** Start of every key. */
    prefix: v.optional(
      v.pipe(v.string(), v.regex(/^[^\s{}]{1,64}$/, 'must have 1 to 64 characters without spaces or braces')),
      'authstate',
    ),
    /**
     * Whether a server stops the start that evicts or does not say whether it does, that is older than 6.2, or to which the way leads
     * off this host unencrypted or without a password. Else the log warns, of eviction `health()` as well.
     */
    strict: v.optional(v.boolean(), false),
    /** Slices of the key space, 1 to 256; 1 is fastest on one server, 16 can go to a Cluster. Recorded in Redis; another is refused. */
    partitions: v.optional(wholeNumber(1, MAX_PARTITIONS), 16),
    /**
     * Layout of the records, 1 or 2. 1 leaves a deployment that has it as it is, so that the version before can be started again; 2
     * goes over to it at the start. @default 2 for a new deployment, else once every node reads it
     */
    layout: v.optional(v.picklist([1, 2])),
    /** How long a command may take, and a connection be silent. */
    commandTimeoutMs: v.optional(spanMs(1, 600_000), 2_000),
    /** How many replicas must have a change before it is answered, 0 to 16. */
    minReplicas: v.optional(wholeNumber(0, 16), 0),
    /** How long they may take; below `commandTimeoutMs`; with `minReplicas` only. @default `100` */
    replicaTimeoutMs: v.optional(spanMs(1, 600_000)),
    /** How long the first connection may take. */
    connectTimeoutMs: v.optional(spanMs(1, 600_000), 5_000),
    /** Consumers of changes of records. @default none */
    changes: v.optional(changes, {}),
    /** Commands per write to the socket; `false` for one by one. @default on for clients made here */
    batchWrites: v.optional(v.union([v.boolean(), wholeNumber(2, 1_024)])),
    /** More options for ioredis; not those that are set here. */
    ioredis: v.optional(options),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const config = dataset.value
    const refuse = (message: string, path: readonly PropertyKey[] = []) =>
      addIssue({ message, ...(path.length > 0 && { path: placeIn(config, path) }) })
    const ways = WAYS.filter((way) => config[way] !== undefined)
    if (ways.length !== 1) {
      const given =
        ways.length === 0 ? 'none is given, or it is undefined' : `${ways.join(' and ')} are given`
      refuse(`needs exactly one of url, client, sentinels or nodes; ${given}`)
    }
    const [way] = ways
    if (way !== undefined && ways.length === 1) {
      for (const { path, message } of contradictions(config, way)) refuse(message, path)
    }
    if (config.minReplicas > 0 && replicaTimeoutOf(config) >= config.commandTimeoutMs) {
      refuse(`must be below commandTimeoutMs, which is ${config.commandTimeoutMs}`, ['replicaTimeoutMs'])
    }
    if (config.sentinels !== undefined && config.name === undefined) {
      refuse('is required with sentinels: the name of the master', ['name'])
    }
  }),
)

/** A path of names as valibot says it. */
function placeIn(input: object, path: readonly PropertyKey[]): [v.IssuePathItem, ...v.IssuePathItem[]] {
  const items = path.map(
    (key): v.IssuePathItem => ({ type: 'unknown', origin: 'value', input, key, value: undefined }),
  )
  return items as [v.IssuePathItem, ...v.IssuePathItem[]]
}

/** How long replicas may take where nothing is said. */
const REPLICA_TIMEOUT_MS = 100

/** How long replicas may take. */
export const replicaTimeoutOf = ({ replicaTimeoutMs }: { replicaTimeoutMs?: number | undefined }): number =>
  replicaTimeoutMs ?? REPLICA_TIMEOUT_MS

/** What `connect()` and the `redis` section of a configuration take. */
export type RedisOptions = v.InferInput<typeof redisConfig>

/** {@link RedisOptions} with defaults filled in. */
export type RedisConfig = v.InferOutput<typeof redisConfig>

/** @throws {ConfigurationError} names every place that cannot work, and no value */
export function parseOptions(given: RedisOptions): RedisConfig {
  const inherited = inheritedNames(given)
  if (inherited.length > 0) {
    throw new ConfigurationError(
      inherited.map((path) => unknownOption('redis', redisConfig, path)).join('; '),
    )
  }
  const parsed = v.safeParse(redisConfig, given)
  if (parsed.success) return parsed.output
  throw new ConfigurationError(
    parsed.issues.map((issue) => describeMistake('redis', redisConfig, issue)).join('; '),
  )
}

/** Host and port of one server. */
export interface Address {
  readonly host: string
  readonly port: number
}

export function parseAddress(given: v.InferOutput<typeof address>, defaultPort: number): Address {
  if (typeof given !== 'string') return { host: given.host, port: given.port ?? defaultPort }
  const [host = '', portText] = given.split(':')
  return { host, port: portText === undefined ? defaultPort : Number(portText) }
}

function isAddress(url: string): boolean {
  if (url.startsWith('unix://')) return url.startsWith('unix:///')
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) return false
  try {
    const { username, password } = new URL(url)
    return decodeURIComponent(username + password) !== undefined
  } catch {
    return false
  }
}

/** Where a connection goes, for messages: never with a password. */
export function describeTarget(config: RedisConfig): string {
  const list = (addresses: readonly v.InferOutput<typeof address>[], defaultPort: number) =>
    addresses
      .map((item) => parseAddress(item, defaultPort))
      .map(({ host, port }) => `${host}:${port}`)
      .join(', ')
  if (config.sentinels) return `master "${config.name}" of the sentinels ${list(config.sentinels, 26_379)}`
  if (config.nodes) return `the Cluster at ${list(config.nodes, 6_379)}`
  if (config.url?.startsWith('unix:')) return 'a unix socket'
  if (config.url !== undefined && URL.canParse(config.url)) {
    const { hostname, port } = new URL(config.url)
    return `${hostname || '127.0.0.1'}:${port || 6_379}`
  }
  return config.client ? `the client of the application${placeOf(config.client)}` : 'Redis'
}

function placeOf(client: RedisClient): string {
  const { host, port, sentinels } = internals(client).options ?? {}
  return host === undefined || port === undefined || sentinels ? '' : ` at ${host}:${port}`
}

function isClient(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { evalsha, on, status } = value as Partial<RedisClient>
  return typeof evalsha === 'function' && typeof on === 'function' && typeof status === 'string'
}
