import { ConfigurationError, knownNames, parseDuration } from '@authstate/spi'
import { z } from 'zod'
import { internals, type RedisClient } from './client.js'
import { MAX_PARTITIONS } from './key-space.js'
import { contradictions, WAYS } from './way-in.js'

const durationMs = z.preprocess(parseDuration, z.int().min(1).max(600_000))
const port = z.int().min(1).max(65_535)
const address = z.union([
  z.string().regex(/^[^\s:]+(:\d+)?$/, 'must be host or host:port'),
  z.strictObject({ host: z.string().min(1), port: port.optional() }),
])
const secret = z.string().min(1).meta({ secret: true })

/** The properties of the `redis` section, as a schema. */
export const redisConfig = z
  .strictObject({
    /** `redis://` or, for TLS, `rediss://`; user, password and database number may be part of it. */
    url: z
      .string()
      .refine(isAddress, 'must be an address such as redis://host:6379, rediss://host:6379 or unix:///path')
      .optional(),
    /** A client of the application: an ioredis `Redis` or `Cluster`. It is not closed by this library. */
    client: z
      .custom<RedisClient>((value) => isClient(value), 'must be an ioredis client (Redis or Cluster)')
      .optional(),
    /** Addresses of sentinels; needs `name`. */
    sentinels: z.array(address).min(1).optional(),
    /** Name of the master that the sentinels watch. */
    name: z.string().min(1).optional(),
    /** Addresses of some nodes of a Cluster. */
    nodes: z.array(address).min(1).optional(),
    username: z.string().min(1).optional(),
    password: secret.optional(),
    sentinelUsername: z.string().min(1).optional(),
    sentinelPassword: secret.optional(),
    /** TLS to the sentinels themselves: `true`, or options of `tls.connect`; `tls` is for Redis. */
    sentinelTls: z.union([z.boolean(), z.record(z.string(), z.unknown())]).optional(),
    db: z.int().min(0).max(1_000_000).optional(),
    /** `true` for TLS with the system's authorities, or options of `tls.connect`. */
    tls: z.union([z.boolean(), z.record(z.string(), z.unknown())]).optional(),
    /** Start of every key. */
    prefix: z
      .string()
      .regex(/^[^\s{}]{1,64}$/, 'must have 1 to 64 characters without spaces or braces')
      .default('authstate'),
    /** Whether a server that evicts stops the start; else it is told in the log and by `health()`. */
    strict: z.boolean().default(false),
    /** Slices of the key space; fixed for the life of a deployment, recorded in Redis. */
    partitions: z.int().min(1).max(MAX_PARTITIONS).default(16),
    /** How long a command may take. */
    commandTimeoutMs: durationMs.default(2_000),
    /** A write is answered when so many replicas have it; 0 for none. */
    minReplicas: z.int().min(0).max(16).default(0),
    /** How long they may take; it holds up what is behind it on the connection. */
    replicaTimeoutMs: durationMs.optional(),
    /** How long the first connection may take. */
    connectTimeoutMs: durationMs.default(5_000),
    /** Commands per socket write. On for clients we make, off for clients we are given, when left out. */
    batchWrites: z.union([z.boolean(), z.int().min(2).max(1_024)]).optional(),
    /** More options for ioredis, for clients we make. Ours win where they keep a guarantee. */
    ioredis: z.record(z.string(), z.unknown()).optional(),
  })
  .superRefine((config, context) => {
    const ways = WAYS.filter((way) => config[way] !== undefined)
    if (ways.length !== 1) {
      const given = ways.length === 0 ? 'none is given' : `${ways.join(' and ')} are given`
      context.addIssue({
        code: 'custom',
        message: `needs exactly one of url, client, sentinels or nodes; ${given}`,
      })
    }
    const [way] = ways
    if (way !== undefined && ways.length === 1) {
      for (const { path, message } of contradictions(config, way))
        context.addIssue({ code: 'custom', path, message })
    }
    if (config.minReplicas > 0 && replicaTimeoutOf(config) >= config.commandTimeoutMs) {
      context.addIssue({
        code: 'custom',
        path: ['replicaTimeoutMs'],
        message: `must be below commandTimeoutMs, which is ${config.commandTimeoutMs}`,
      })
    }
    if (config.sentinels !== undefined && config.name === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['name'],
        message: 'is required with sentinels: the name of the master',
      })
    }
  })

/** How long replicas may take where nothing is said. */
const REPLICA_TIMEOUT_MS = 100

/** How long replicas may take. */
export const replicaTimeoutOf = ({ replicaTimeoutMs }: { replicaTimeoutMs?: number | undefined }): number =>
  replicaTimeoutMs ?? REPLICA_TIMEOUT_MS

/** What `connect()` and the `redis` section of a configuration take. */
export type RedisOptions = z.input<typeof redisConfig>

/** {@link RedisOptions} with defaults filled in. */
export type RedisConfig = z.output<typeof redisConfig>

/** @throws {ConfigurationError} names every place that can not work, and no value */
export function parseOptions(given: RedisOptions): RedisConfig {
  const parsed = redisConfig.safeParse(given)
  if (parsed.success) return parsed.data
  throw new ConfigurationError(parsed.error.issues.flatMap(describeIssue).join('; '))
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const place = ['redis', ...issue.path].join('.')
  if (issue.code !== 'unrecognized_keys') return [`${place}: ${issue.message}`]
  const known = Object.keys(redisConfig.shape)
  return issue.keys.map((name) => `${place}.${name}: there is no such property. ${knownNames(name, known)}`)
}

/** Host and port of one server. */
export interface Address {
  readonly host: string
  readonly port: number
}

export function parseAddress(given: z.output<typeof address>, defaultPort: number): Address {
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
  const list = (addresses: readonly z.output<typeof address>[], defaultPort: number) =>
    addresses
      .map((one) => parseAddress(one, defaultPort))
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
