import { type Keyring, parseDuration } from '@authstate/spi'
import * as v from 'valibot'

const count = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.number(), v.safeInteger('must be a whole number'), v.minValue(least), v.maxValue(most))
const spanMs = (least: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    count(least),
  )
const consumerName = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,32}$/, 'must have 1 to 32 of a-z, 0-9 and -'))

const common = {
  /** Consumer of changes whose notes become the trail, as `redis.changes.consumers` names it. @default no trail: actions only */
  consumer: v.optional(consumerName),
  /** Whether the trail also tells of what changes times only: each refresh of a session. */
  touches: v.optional(v.boolean(), false),
  /** Whether an action is not done when the line before it cannot be written. */
  required: v.optional(v.boolean(), false),
  /** How long the sink may take before it has failed. */
  timeoutMs: v.optional(spanMs(1), 2_000),
  /** Secrets that name records, where they are not to be those of the state: keep each as long as its lines. @default `keyring` of the state */
  keyring: v.optional(
    v.custom<Keyring>((value) => typeof value === 'object' && value !== null, 'must be { current, keys }'),
  ),
}

const DAY_MS = 86_400_000

/** The properties of an audit in memory, as a schema. */
export const memoryAuditConfig = v.strictObject({
  ...common,
  /** Lines that are kept. */
  maxLines: v.optional(count(1, 1_000_000), 10_000),
})

/** The properties of an audit in a stream of Redis, as a schema. */
export const redisAuditConfig = v.strictObject({
  ...common,
  /** Lines that are kept, about: a few hundred bytes each. */
  maxLines: v.optional(count(1), 200_000),
  /** How long lines are kept, about. */
  keepMs: v.optional(spanMs(1_000), 90 * DAY_MS),
})

/** The properties of an audit in files, as a schema. */
export const fileAuditConfig = v.strictObject({
  ...common,
  /** Folder of the files. It is made where it is missing. */
  directory: v.pipe(v.string(), v.minLength(1)),
  /** A file that has as many bytes is ended, and another begun. */
  maxFileBytes: v.optional(count(1_024), 64 * 1024 * 1024),
  /** A file that is as old is ended, and another begun with the next line. */
  rotateMs: v.optional(spanMs(1_000), DAY_MS),
  /** How long files are kept after they were ended. */
  keepMs: v.optional(spanMs(1_000), 90 * DAY_MS),
  /** Files of the folder that are kept: beyond that the oldest that is ended goes. */
  maxFiles: v.optional(count(2, 100_000), 1_000),
  /** Whether the disk has to say that lines are on it before they count as written. */
  sync: v.optional(v.boolean(), true),
})

/** The properties of an audit by a function, as a schema. */
export const functionAuditConfig = v.strictObject(common)

/** Properties that every audit has, with defaults filled in. */
export type AuditConfig = v.InferOutput<typeof functionAuditConfig>
/** Properties of an audit in memory, with defaults filled in. */
export type MemoryAuditConfig = v.InferOutput<typeof memoryAuditConfig>
/** Properties of an audit in a stream of Redis, with defaults filled in. */
export type RedisAuditConfig = v.InferOutput<typeof redisAuditConfig>
/** Properties of an audit in files, with defaults filled in. */
export type FileAuditConfig = v.InferOutput<typeof fileAuditConfig>
