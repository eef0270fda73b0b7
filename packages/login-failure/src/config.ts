import { parseDuration } from '@authstate/spi'
import * as v from 'valibot'
import { DEFAULT_POLICY, type Policy } from './policy.js'

const count = (least: number) =>
  v.pipe(v.number(), v.safeInteger('must be a whole number'), v.minValue(least))
const spanMs = (least: number) =>
  v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((given) => parseDuration(given)),
    count(least),
  )
const bits = (least: number, most: number) =>
  v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(least), v.maxValue(most))

/** Properties of the rule that counts by network address. It is off while there is no `address` section. */
const addressConfig = v.strictObject({
  /** Leading bits of an IPv4 address that are counted as one. */
  ipv4Prefix: v.optional(bits(8, 32), 32),
  /** Leading bits of an IPv6 address that are counted as one: a household or a machine has a /64 or more. */
  ipv6Prefix: v.optional(bits(16, 128), 64),
  strategy: v.optional(v.picklist(['LINEAR', 'MULTIPLE']), DEFAULT_POLICY.strategy),
  /** Many people can share an address, so it is allowed more failures than a user. */
  failureFactor: v.optional(count(1), 100),
  waitIncrementMs: v.optional(spanMs(0), DEFAULT_POLICY.waitIncrementMs),
  maxFailureWaitMs: v.optional(spanMs(0), DEFAULT_POLICY.maxFailureWaitMs),
  maxDeltaTimeMs: v.optional(spanMs(0), 3_600_000),
  /** Off unless set: two people behind one address can fail at the same time. */
  quickLoginCheckMs: v.optional(spanMs(0), 0),
  minimumQuickLoginWaitMs: v.optional(spanMs(0), DEFAULT_POLICY.minimumQuickLoginWaitMs),
})

/** The properties of a login-failure provider, as a schema. */
export const loginFailureConfig = v.strictObject({
  /** What is done while Redis is away: `closed` refuses, `open` allows uncounted, `local` counts in the process, more strictly. */
  failPolicy: v.optional(v.picklist(['closed', 'open', 'local']), 'local'),
  /** Failures that a node allows while it counts alone; the realm's factor holds where that is lower. */
  localFailureFactor: v.optional(count(1), 5),
  /** How long `guard` waits for other attempts to end before it refuses. 0: not at all. */
  guardWaitMs: v.optional(spanMs(0), 10_000),
  /** Callers of `guard` that may wait for one user on one node; one more is refused at once. */
  guardMaxWaiting: v.optional(count(0), 1_000),
  /** How long a verification may take before its attempt is given to another. */
  reservationMs: v.optional(spanMs(100), 30_000),
  /** Counts by network address as well: prefixes and a policy of its own. @default off */
  address: v.optional(addressConfig),
})

/** Properties of a provider, with defaults filled in. */
export type LoginFailureConfig = v.InferOutput<typeof loginFailureConfig>

/** The policy of the address rule, and what counts as one address. */
export interface AddressRule {
  readonly policy: Policy
  readonly ipv4Prefix: number
  readonly ipv6Prefix: number
}

/** An address is never locked for good: an operator would not notice, and its record would stay for ever. */
export function addressRuleOf(config: LoginFailureConfig): AddressRule | undefined {
  if (config.address === undefined) return undefined
  const { ipv4Prefix, ipv6Prefix, ...policy } = config.address
  return { ipv4Prefix, ipv6Prefix, policy: { ...DEFAULT_POLICY, ...policy } }
}
