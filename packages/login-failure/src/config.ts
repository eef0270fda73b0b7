import {
  assertInstant,
  assertKnown,
  assertName,
  assertOneOf,
  type Known,
  parseDuration,
} from '@authstate/spi'
import { z } from 'zod'
import { parseIp } from './address.js'
import type {
  FailureCategory,
  FailureOptions,
  GuardOptions,
  SuccessOptions,
  UnknownUserOptions,
} from './contract.js'
import { DEFAULT_POLICY, type Policy } from './policy.js'

const spanMs = (least: number) => z.preprocess(parseDuration, z.int().min(least))
const count = (least: number) => z.int().min(least)

/** Properties of the rule that counts by network address. It is off while there is no `address` section. */
const addressConfig = z.strictObject({
  /** Leading bits of an IPv4 address that are counted as one. */
  ipv4Prefix: z.int().min(8).max(32).default(32),
  /** Leading bits of an IPv6 address that are counted as one: a household or a machine has a /64 or more. */
  ipv6Prefix: z.int().min(16).max(128).default(64),
  strategy: z.enum(['LINEAR', 'MULTIPLE']).default(DEFAULT_POLICY.strategy),
  /** Many people can share an address, so it is allowed more failures than a user. */
  failureFactor: count(1).default(100),
  waitIncrementMs: spanMs(0).default(DEFAULT_POLICY.waitIncrementMs),
  maxFailureWaitMs: spanMs(0).default(DEFAULT_POLICY.maxFailureWaitMs),
  maxDeltaTimeMs: spanMs(0).default(3_600_000),
  /** Off unless set: two people behind one address can fail at the same time. */
  quickLoginCheckMs: spanMs(0).default(0),
  minimumQuickLoginWaitMs: spanMs(0).default(DEFAULT_POLICY.minimumQuickLoginWaitMs),
})

/** The properties of a login-failure provider, as a schema. */
export const loginFailureConfig = z.strictObject({
  /**
   * What `check`, `guard`, `recordFailure` and `recordSuccess` do while the store is away: refuse everybody, allow
   * everybody uncounted, or let each node count alone, more strictly.
   */
  failPolicy: z.enum(['closed', 'open', 'local']).default('local'),
  /** Failures that a node allows while it counts alone; the realm's factor holds where that is lower. */
  localFailureFactor: count(1).default(5),
  /** How long `guard` waits for other attempts to end before it refuses. 0: not at all. */
  guardWaitMs: spanMs(0).default(10_000),
  /** Callers of `guard` that may wait for one user on one node; one more is refused at once. */
  guardMaxWaiting: count(0).default(1_000),
  /** How long a verification may take before its attempt is given to another. */
  reservationMs: spanMs(100).default(30_000),
  address: addressConfig.optional(),
})

/** Properties of a provider, with defaults filled in. */
export type LoginFailureConfig = z.output<typeof loginFailureConfig>

/** The policy of the address rule, and what counts as one address. */
export interface AddressRule {
  readonly policy: Policy
  readonly ipv4Prefix: number
  readonly ipv6Prefix: number
}

/** An address is never locked for good: nobody would notice, and its record would stay for ever. */
export function addressRuleOf(config: LoginFailureConfig): AddressRule | undefined {
  if (config.address === undefined) return undefined
  const { ipv4Prefix, ipv6Prefix, ...policy } = config.address
  return { ipv4Prefix, ipv6Prefix, policy: { ...DEFAULT_POLICY, ...policy } }
}

/** Every verb about a user starts here. */
export function checkIds(realmId: unknown, userId: unknown): void {
  assertName(realmId, 'realmId')
  assertName(userId, 'userId')
}

/** The checked options of a verb about one attempt. */
export interface Attempt {
  readonly ip: ReturnType<typeof parseIp> | undefined
  readonly at: number | undefined
  readonly secondary: boolean
}

const CATEGORIES = ['password', 'otp'] as const satisfies readonly FailureCategory[]

const FAILURE: Known<FailureOptions> = { ip: true, at: true, category: true }
const GUARD: Known<GuardOptions> = { ip: true, category: true }
const SUCCESS: Known<SuccessOptions> = { category: true }
/** A category has no effect there and is taken all the same: a login need not change its options to hide who exists. */
const UNKNOWN: Known<UnknownUserOptions & GuardOptions> = { ip: true, username: true, category: true }
const ADDRESS: Known<{ readonly ip?: string | undefined }> = { ip: true }

/** What the options of a verb may be called; the same for a name that belongs to nobody, which must look like any other. */
const ATTEMPTS = {
  failure: FAILURE,
  guard: GUARD,
  success: SUCCESS,
  look: ADDRESS,
  unknown: UNKNOWN,
} as const

/** @throws {TypeError | RangeError} naming the option that is wrong */
export function checkAttempt(options: unknown, verb: keyof typeof ATTEMPTS): Attempt {
  // Whatever the verb: what it can have is among these.
  assertKnown(options, 'options', ATTEMPTS[verb] as Known<FailureOptions>)
  const { ip, at, category } = options
  if (at !== undefined) assertInstant(at, 'at')
  if (category !== undefined) assertOneOf(category, 'category', CATEGORIES)
  return { ip: ip === undefined ? undefined : parseIp(ip), at, secondary: category === 'otp' }
}
