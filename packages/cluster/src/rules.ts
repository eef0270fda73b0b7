import {
  assertBoolean,
  assertFunction,
  assertKnown,
  assertName,
  assertOneOf,
  assertSpanMs,
  type Known,
  parseDuration,
} from '@authstate/spi'
import * as v from 'valibot'
import type {
  ClusterNode,
  ClusterView,
  LockOptions,
  PublishOptions,
  RunOnceOptions,
  RunOnceOrWaitOptions,
  Scope,
  SubscribeOptions,
  ViewChange,
} from './contract.js'

/** Longest a timer of Node can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1

const wholeNumber = (least: number, most: number) =>
  v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(least), v.maxValue(most))
const spanMs = (least: number, most: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    v.number(),
    v.integer('must be a whole number'),
    v.minValue(least),
    v.maxValue(most),
  )

/** Heartbeats that fit into the time after which a silent node is gone: fewer would take a slow node for a dead one. */
const BEATS_BEFORE_DEATH = 4

/** Properties of both providers. In memory nothing can be late or lost, so there most of them decide nothing. */
export const clusterConfig = v.pipe(
  v.strictObject({
    /** How often a node says that it lives, and looks who does. */
    heartbeatMs: v.optional(spanMs(1, MAX_TIMER_MS), 1_000),
    /** A node that crashed is out of every view within this time. At least four heartbeats. */
    deadAfterMs: v.optional(spanMs(1, MAX_TIMER_MS), 10_000),
    /** Events the work channel keeps for nodes that are away; a node that misses more is told of a gap. */
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

/** How long a lease keeps others away after its holder died, when nothing else is asked for. */
export const DEFAULT_LEASE_MS = 30_000

/** @see Keycloak behaviour: the lock time-out of the global lock */
export const DEFAULT_LOCK_WAIT_MS = 900_000

const PUBLISH: Known<PublishOptions> = { scope: true, skipSender: true }
const SUBSCRIBE: Known<SubscribeOptions> = { onGap: true }
const LOCK: Known<LockOptions> = { waitMs: true, leaseMs: true }

const SCOPES = ['all', 'others', 'site', 'other-sites'] as const

/** What a delivery is decided by. */
export interface Delivery {
  readonly scope: Scope
  readonly skipSender: boolean
  readonly sender: { readonly incarnation: string; readonly site?: string | undefined }
}

/**
 * Whether a node gets an event. Sites are compared only where the sender has one; between sites it does not matter
 * whether the sender is to be skipped.
 */
export function delivers({ scope, skipSender, sender }: Delivery, to: ClusterNode): boolean {
  const sitesKnown = sender.site !== undefined
  if (scope === 'other-sites' && sitesKnown) return to.site !== sender.site
  if ((skipSender || scope === 'others') && to.incarnation === sender.incarnation) return false
  return scope !== 'site' || !sitesKnown || to.site === sender.site
}

/** The JSON of an event; `undefined` for what is not sent: nothing, or an empty list. */
export function encodeEvent(event: unknown, maxBytes: number): string | undefined {
  if (event === undefined || event === null || (Array.isArray(event) && event.length === 0)) return undefined
  let text: string | undefined
  try {
    text = JSON.stringify(event)
  } catch (cause) {
    throw new TypeError('"event" must be data that JSON can hold', { cause })
  }
  if (text === undefined) throw new TypeError('"event" must be data that JSON can hold')
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes)
    throw new RangeError(`"event" must have at most ${maxBytes} bytes of JSON, got ${bytes}`)
  return text
}

export function checkPublish(
  topic: unknown,
  options: PublishOptions,
): Pick<Delivery, 'scope' | 'skipSender'> {
  assertName(topic, 'topic')
  assertKnown(options, 'options', PUBLISH)
  const { scope = 'all', skipSender = false } = options
  assertOneOf(scope, 'scope', SCOPES)
  assertBoolean(skipSender, 'skipSender')
  return { scope, skipSender }
}

export function checkSubscribe(topic: unknown, listener: unknown, options: unknown): void {
  assertName(topic, 'topic')
  assertFunction(listener, 'listener')
  if (options === undefined) return
  assertKnown(options, 'options', SUBSCRIBE)
  if (options.onGap !== undefined) assertFunction(options.onGap, 'onGap')
}

/** How long a lease lasts and how long somebody waits for one, with defaults filled in. */
export interface LeaseTimes {
  readonly leaseMs: number
  readonly waitMs: number
}

/** Names that the options of a task may have, by whether the caller waits for the task of another. */
export const TASK_OPTIONS: {
  readonly once: Known<RunOnceOptions>
  readonly wait: Known<RunOnceOrWaitOptions>
} = {
  once: { leaseMs: true },
  wait: { leaseMs: true, waitMs: true },
}

export function checkTask(
  key: unknown,
  options: RunOnceOrWaitOptions,
  task: unknown,
  known: Known<RunOnceOptions> = TASK_OPTIONS.wait,
): LeaseTimes {
  assertName(key, 'key')
  assertFunction(task, 'task')
  const { leaseMs, waitMs } = times(options, known)
  return { leaseMs, waitMs: waitMs ?? leaseMs }
}

export function checkLock(namespace: unknown, options: LockOptions, work: unknown): LeaseTimes {
  assertName(namespace, 'namespace')
  assertFunction(work, 'work')
  const { leaseMs, waitMs } = times(options, LOCK)
  return { leaseMs, waitMs: waitMs ?? DEFAULT_LOCK_WAIT_MS }
}

function times(
  options: LockOptions,
  known: Known<RunOnceOptions>,
): { leaseMs: number; waitMs: number | undefined } {
  assertKnown(options, 'options', known)
  const { leaseMs = DEFAULT_LEASE_MS, waitMs } = options
  for (const [name, value] of Object.entries({ leaseMs, waitMs })) {
    if (value === undefined) continue
    assertSpanMs(value, name)
    if (value > MAX_TIMER_MS) throw new RangeError(`"${name}" must be at most ${MAX_TIMER_MS}, got ${value}`)
  }
  return { leaseMs, waitMs }
}

/** A view whose nodes are in order of their names, then of their age. */
export function orderView(nodes: readonly ClusterNode[], version: number): ClusterView {
  const ordered = [...nodes].sort(
    (a, b) => compareText(a.name, b.name) || compareText(a.incarnation, b.incarnation),
  )
  return Object.freeze({ nodes: Object.freeze(ordered), version })
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What happened between two views. A node that left without a known reason is taken for crashed. */
export function changeOf(
  before: ClusterView,
  after: ClusterView,
  departed: ReadonlySet<string>,
): ViewChange | undefined {
  const known = new Set(before.nodes.map(({ incarnation }) => incarnation))
  const alive = new Set(after.nodes.map(({ incarnation }) => incarnation))
  const joined = after.nodes.filter(({ incarnation }) => !known.has(incarnation))
  const gone = before.nodes.filter(({ incarnation }) => !alive.has(incarnation))
  if (joined.length === 0 && gone.length === 0) return undefined
  return {
    joined,
    left: gone.filter(({ incarnation }) => departed.has(incarnation)),
    crashed: gone.filter(({ incarnation }) => !departed.has(incarnation)),
  }
}

/** The line an operator knows: `view 7: 3 nodes [a, b, c]`. */
export function describeView({ nodes, version }: ClusterView): string {
  return `view ${version}: ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'} [${nodes.map(({ name }) => name).join(', ')}]`
}

/**
 * How long a node must have been seen silent, beat by beat, to be gone within `deadAfterMs` of its last sign: that sign
 * may be one heartbeat older than it was seen, and the last look one heartbeat late.
 */
export function silenceLimitMs({ heartbeatMs, deadAfterMs }: ClusterConfig): number {
  return deadAfterMs - 2 * heartbeatMs
}
