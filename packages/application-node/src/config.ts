import { parseDuration } from '@authstate/spi'
import * as v from 'valibot'

/** Longer timers than this run out at once. */
const LONGEST_SPAN_MS = 2_147_483_647

const count = (least: number, most: number) =>
  v.pipe(v.number(), v.safeInteger('must be a whole number'), v.minValue(least), v.maxValue(most))
const spanMs = (least: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    count(least, LONGEST_SPAN_MS),
  )

/** The properties of an application-node provider, as a schema. */
export const applicationNodeConfig = v.pipe(
  v.strictObject({
    /** Whether this process sends what is due. `false`: it only announces, and others send. */
    dispatch: v.optional(v.boolean(), true),
    /** How often it looks for what others announced or what is to be sent again. What it announces itself is sent at once. */
    pollMs: v.optional(spanMs(10), 1_000),
    /** Requests of this process at once. */
    maxConcurrent: v.optional(count(1, 1_000), 16),
    /** Of them to one client. */
    maxConcurrentPerClient: v.optional(count(1, 1_000), 2),
    /** How long a receiver may take. */
    deadlineMs: v.optional(spanMs(1), 5_000),
    /** After that another process sends a message that this one took. More than twice `deadlineMs`. */
    leaseMs: v.optional(spanMs(1), 15_000),
    /** How often a message is sent at most. */
    maxAttempts: v.optional(count(1, 100), 6),
    /** The longest pause before the second attempt; it doubles with each further one, and the pause is drawn below it. */
    retryBaseMs: v.optional(spanMs(1), 1_000),
    /** The longest pause, whatever the receiver asks for (`Retry-After`). */
    retryMaxMs: v.optional(spanMs(1), 300_000),
    /** How long a message is sent at most. */
    maxLifeMs: v.optional(spanMs(1_000), 3_600_000),
    /** Messages of a realm under way; what is beyond is refused. */
    maxQueued: v.optional(count(1, 100_000), 10_000),
    /** How long it is known what became of a delivery, once nothing of it goes on. */
    keepMs: v.optional(spanMs(1_000), 600_000),
    /** How long a dead letter is kept. */
    deadKeepMs: v.optional(spanMs(1_000), 7 * 86_400_000),
    /** Dead letters of a realm; the oldest go first. */
    maxDead: v.optional(count(1, 10_000), 1_000),
  }),
  v.forward(
    v.check(({ deadlineMs, leaseMs }) => leaseMs > 2 * deadlineMs, 'must be more than twice "deadlineMs"'),
    ['leaseMs'],
  ),
)

/** Properties of a provider, with defaults filled in. */
export type ApplicationNodeConfig = v.InferOutput<typeof applicationNodeConfig>
