import { parseDuration } from '@authstate/spi'
import * as v from 'valibot'

/** Longest a timer of Node can wait. */
export const MAX_TIMER_MS = 2 ** 31 - 1

const wholeNumber = (least: number, most: number) =>
  v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(least), v.maxValue(most))
const spanMs = (least: number, most: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    wholeNumber(least, most),
  )

/**
 * Heartbeats that fit into the time after which a silent node is removed: fewer would take a slow node for a
 * dead one.
 */
const BEATS_BEFORE_DEATH = 4

/** Properties of both providers. In memory nothing can be late or lost, so there most of them decide nothing. */
export const clusterConfig = v.pipe(
  v.strictObject({
    /** How often a node sends a heartbeat and reads those of the others. */
    heartbeatMs: v.optional(spanMs(1, MAX_TIMER_MS), 1_000),
    /** A node that crashed is out of every view within this time. At least four heartbeats. */
    deadAfterMs: v.optional(spanMs(1, MAX_TIMER_MS), 10_000),
    /** Events the work channel keeps for nodes that are away; a node that misses more gets a gap. */
    channelLength: v.optional(wholeNumber(100, 10_000_000), 10_000),
    /** How long one question for new events waits. While nothing is sent, the channel is known to be alive this often. */
    readWaitMs: v.optional(spanMs(1, MAX_TIMER_MS), 1_000),
    /** How long an event is tried to be stored before its sender gets an error. */
    publishTimeoutMs: v.optional(spanMs(1, MAX_TIMER_MS), 5_000),
    /** Ceiling on the JSON of one event. */
    maxEventBytes: v.optional(wholeNumber(2, 16 * 1024 * 1024), 65_536),
    /**
     * How far the clock of Redis may step forward in a failover. The lease of a holder that died, or is only slow, is left alone
     * for so much longer.
     */
    maxClockSkewMs: v.optional(spanMs(0, MAX_TIMER_MS), 1_000),
  }),
  v.forward(
    v.check(
      ({ heartbeatMs, deadAfterMs }) => deadAfterMs >= heartbeatMs * BEATS_BEFORE_DEATH,
      `must be at least ${BEATS_BEFORE_DEATH} times heartbeatMs`,
    ),
    ['deadAfterMs'],
  ),
)

/** Properties of a provider, with defaults filled in. */
export type ClusterConfig = v.InferOutput<typeof clusterConfig>
