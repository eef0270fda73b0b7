/**
 * Failed logins, and the lock-out that follows from them.
 *
 * Counts failures per user, and per network address when that is configured, and decides in the same step whether
 * the next attempt is still allowed. A locked account is a result, never an exception.
 *
 * @module
 */
import {
  type BruteForceSettings,
  defineSpi,
  type EventOf,
  type Page,
  type PageOptions,
  type Provider,
} from '@authstate/spi'
import { policyOf } from './policy.js'

/** What was wrong: the first factor, or a second one such as a one-time code. */
export type FailureCategory = 'password' | 'otp'

/** Whose failures led to a lock: those of the user, or those that came from one network address. */
export type LockRule = 'user' | 'address'

/** Why no attempt is allowed now. */
export type LockReason =
  /** Too many failures. */
  | 'failures'
  /** Two failures faster than a person types. */
  | 'quick-login'
  /** Too many failures of a second factor. */
  | 'secondary-auth-failures'
  /** Other attempts are being verified, and waiting for them took too long. Only from `guard`. */
  | 'concurrent-attempts'
  /** The store is away, and `failPolicy` is `'closed'`. */
  | 'store-unavailable'

/** How an answer came about while the store was away; see the configuration. */
export type FailPolicy = 'closed' | 'open' | 'local'

/** A lock that is in force. */
export interface Lock {
  readonly locked: true
  /** Ms since the epoch; from this instant on attempts are allowed. Absent when no time ends the lock. */
  readonly until?: number
  /** Ends only by `clear`, or when the realm's protection is switched off. */
  readonly permanent: boolean
  readonly reason: LockReason
  readonly rule: LockRule
  /** Present when the store was away and this policy decided. */
  readonly failPolicy?: FailPolicy
}

/** No lock is in force: an attempt is allowed. */
export interface NotLocked {
  readonly locked: false
  /** Present when the store was away and this policy decided. */
  readonly failPolicy?: FailPolicy
}

/** Whether an attempt is allowed now. */
export type CheckOutcome = Lock | NotLocked

/** What is known about the failures of one user, or of one address. */
export interface LoginFailure {
  /** Failures since the last success, reset or clear. */
  readonly numFailures: number
  /** Temporary locks since then, those of the quick-login check not counted. */
  readonly numTemporaryLockouts: number
  /** Those among them of a second factor. A success with the first factor alone leaves them, and they go on counting. */
  readonly numSecondaryAuthFailures: number
  /** Ms since the epoch. */
  readonly lastFailureAt: number
  /** Address of the last failure, in canonical form. Absent when none was given. */
  readonly lastIp?: string
  /** End of the last temporary lock, past or to come. Ms since the epoch. */
  readonly lockedUntil?: number
  /** When the permanent lock was set. Ms since the epoch. */
  readonly permanentlyLockedAt?: number
  /** From this instant on there is no record. Ms since the epoch. Absent when it stays until it is cleared. */
  readonly expiresAt?: number
}

/** What is known about a failed attempt. */
export interface FailureOptions {
  /** Address of the client: IPv4 or IPv6, without a port. */
  readonly ip?: string | undefined
  /** When it happened, ms since the epoch. A time to come counts as now. @default now */
  readonly at?: number | undefined
  /** @default 'password' */
  readonly category?: FailureCategory | undefined
}

/** What is known about a login that succeeded. */
export interface SuccessOptions {
  /**
   * `'otp'` when a second factor was part of the login: then its failures are forgotten too, and a lock that it set.
   *
   * @default 'password'
   */
  readonly category?: FailureCategory | undefined
}

/** What recording a failure led to. */
export interface LoginFailureOutcome {
  /** `false` when nothing was added to the user's count: locked already, or the realm is not protected. */
  readonly counted: boolean
  /** The user's counts after the step. */
  readonly numFailures: number
  readonly numTemporaryLockouts: number
  readonly numSecondaryAuthFailures: number
  /** Whether the next attempt is refused, by whichever rule. */
  readonly locked: boolean
  /** Present while locked for a time. */
  readonly until?: number
  readonly permanent: boolean
  /** Present while locked. */
  readonly reason?: LockReason
  /** Present while locked. */
  readonly rule?: LockRule
  /** This very failure set the lock. */
  readonly newlyLocked: boolean
  /** Present when the store was away and this policy decided. */
  readonly failPolicy?: FailPolicy
}

/** What is known about an attempt before it is verified. */
export interface GuardOptions {
  /** Address of the client: IPv4 or IPv6, without a port. */
  readonly ip?: string | undefined
  /** What `verify` verifies: `'otp'` for any second factor, asked for only when the first was right. @default 'password' */
  readonly category?: FailureCategory | undefined
}

/** What is known about an attempt under a name that belongs to no user. */
export interface UnknownUserOptions {
  /** Address of the client: IPv4 or IPv6, without a port. */
  readonly ip?: string | undefined
  /**
   * The name that was typed, in the form in which it was looked for: attempts under one name queue and lock like those of
   * one user. Kept as a digest only. Left out: the attempts of one address, or all without an address, are taken for those of one user.
   */
  readonly username?: string | undefined
}

/** What came of a guarded attempt. */
export type GuardOutcome =
  | { readonly outcome: 'success'; readonly failPolicy?: FailPolicy }
  /** `lockedUntil` and `permanent` are present when the user, or the address, is locked from now on. */
  | {
      readonly outcome: 'failure'
      readonly lockedUntil?: number
      readonly permanent?: true
      readonly failPolicy?: FailPolicy
    }
  /** Nothing was verified, or what was verified does not count because the user was locked meanwhile. */
  | ({ readonly outcome: 'locked' } & Omit<Lock, 'locked'>)

/** One rule's part in {@link Explanation}. */
export interface RuleExplanation {
  readonly rule: LockRule
  readonly locked: boolean
  readonly until?: number
  readonly permanent: boolean
  /** Present while locked. */
  readonly reason?: LockReason
  readonly failure?: LoginFailure
  /** Failures in a row, all at this instant, that the policy still allows; the last one locks. 0 while locked. */
  readonly attemptsLeft: number
  /** How long the lock would last that the last of them sets. Absent when it would be permanent or there is none. */
  readonly nextLockMs?: number
  /** One sentence for an operator, without ids. */
  readonly text: string
}

/** Why an attempt would be refused or allowed now. */
export interface Explanation {
  /** `false`: the realm is not protected, so nothing is counted and no user is locked. */
  readonly enabled: boolean
  readonly locked: boolean
  /** The rule that refuses for longest, first. */
  readonly rules: readonly RuleExplanation[]
}

/** The attack-detection status of Keycloak's admin API, with its names and units. */
export interface AdminStatus {
  /** Locked now, for a time or for good. */
  readonly disabled: boolean
  readonly numFailures: number
  readonly numTemporaryLockouts: number
  readonly numSecondaryAuthFailures: number
  /** Ms since the epoch, 0 for none. */
  readonly lastFailure: number
  /** `'n/a'` for none. */
  readonly lastIPFailure: string
  /** Seconds since the epoch, rounded up. Present only while temporarily locked. */
  readonly failedLoginNotBefore?: number
}

/** Whom an event is about: a user, or the network of an address (`'203.0.113.7/32'`, `'2001:db8::/64'`). */
export type EventSubject =
  | { readonly rule: 'user'; readonly userId: string }
  | { readonly rule: 'address'; readonly network: string }

/** Somebody who is locked out now. */
export interface LockedOut {
  readonly subject: EventSubject
  /** Ms since the epoch; from this instant on attempts are allowed. Absent when no time ends the lock. */
  readonly until?: number
  /** Ends only by `clear`, or when the realm's protection is switched off. */
  readonly permanent: boolean
  readonly reason: LockReason
  readonly numFailures: number
  /** Ms since the epoch. */
  readonly lastFailureAt: number
}

/** What every event of a count tells. */
export interface FailureEvent {
  readonly realmId: string
  readonly subject: EventSubject
  /** Ms since the epoch. */
  readonly at: number
  /** Failures that had been counted. */
  readonly numFailures: number
}

/** What an event says, by its name. Emitted on the node where it happened, after the step; a lock that runs out has no event. */
export interface LoginFailureEvents {
  /** A failure locked until an instant. */
  readonly 'temporary-lock': FailureEvent & {
    readonly type: 'temporary-lock'
    readonly until: number
    readonly reason: LockReason
  }
  /** A failure locked until somebody clears it. */
  readonly 'permanent-lock': FailureEvent & { readonly type: 'permanent-lock'; readonly reason: LockReason }
  /** A lock was ended before its time, by `clear` or by a success. */
  readonly unlock: FailureEvent & { readonly type: 'unlock'; readonly cause: 'cleared' | 'success' }
  /** A login succeeded after failures. */
  readonly 'success-after-failures': FailureEvent & { readonly type: 'success-after-failures' }
}

/** Counts failed logins and locks. Every verb on one user is one atomic step, except where its text says otherwise. */
export interface LoginFailureProvider extends Provider {
  /**
   * Counts a failed login and decides whether it locks: one atomic step per rule, one round trip.
   *
   * Of N concurrent failures each is counted, until one of them locks; failures while locked change nothing. The
   * user's count and the address's are two steps sent together: when one of them fails the other may be applied.
   *
   * Not safe to repeat after a lost reply: the failure may be counted twice.
   *
   * @throws {TypeError} `ip` is not an IP address; nothing is counted then.
   * @throws {StoreUnavailableError} the store is away and `failPolicy` is `'closed'`
   */
  recordFailure(realmId: string, userId: string, options?: FailureOptions): Promise<LoginFailureOutcome>

  /**
   * Counts a failed login under a name that belongs to no user: only its address can be counted.
   *
   * @throws as `recordFailure`
   */
  recordUnknownUser(realmId: string, options?: Omit<FailureOptions, 'category'>): Promise<LoginFailureOutcome>

  /**
   * Forgets the user's failures and temporary lock after a successful login. A permanent lock stays; so does what
   * came from the address, or a valid login now and then would hide the others. Safe to repeat.
   *
   * With failures of a second factor on record, a success with `category: 'password'` forgives only those of the first
   * factor. An attacker who knows the password must not get endless tries at the codes.
   *
   * @returns whether there was something to forget
   * @throws {StoreUnavailableError} the store is away and `failPolicy` is `'closed'`
   */
  recordSuccess(realmId: string, userId: string, options?: SuccessOptions): Promise<boolean>

  /** The record of a user, or `undefined` when there is none. Looking changes nothing, and extends nothing. */
  get(realmId: string, userId: string): Promise<LoginFailure | undefined>

  /** The record of the network that `ip` belongs to. Always `undefined` when addresses are not configured. */
  getAddress(realmId: string, ip: string): Promise<LoginFailure | undefined>

  /**
   * Whether an attempt is refused now. Changes nothing; many callers may get `false` at once, see `guard`.
   *
   * While the store is away `failPolicy` decides, within the deadline of a command.
   */
  check(
    realmId: string,
    userId: string,
    options?: { readonly ip?: string | undefined },
  ): Promise<CheckOutcome>

  /**
   * Verifies a credential under the protection of the policy.
   *
   * Reserves an attempt before it calls `verify`, counts the failure or forgets the failures after it: N parallel
   * guesses, on whatever nodes, get no more verifications than the policy allows before it locks. When all attempts
   * that are left are reserved, the caller waits, at most `guardWaitMs`, for one to end: N parallel valid logins all
   * succeed. A reservation whose `verify` throws is given back at once, one whose `verify` never ends after
   * `reservationMs`.
   *
   * A lock of the user that is set while `verify` runs is honoured: the answer is `'locked'` and nothing is forgiven. One
   * of the address holds from the next attempt on.
   *
   * In a login of two steps each step has its own guard; see `recordSuccess` for what a right password forgives.
   * Two round trips: one before `verify`, one after. While the store is away `failPolicy` decides.
   *
   * @param verify `true`: the credential is right. What it throws is thrown to the caller, and nothing is counted.
   * @throws {TypeError} `verify` answered something else than `true` or `false`; nothing is counted then.
   *
   * @example
   * ```ts
   * const isRight = async () => true // compare the password
   * const attempt = await state.loginFailures.guard('acme', 'u-1', { ip: '192.0.2.1' }, isRight)
   * if (attempt.outcome === 'locked') console.log('locked until', attempt.until)
   * ```
   */
  guard(
    realmId: string,
    userId: string,
    options: GuardOptions,
    verify: () => Promise<boolean>,
  ): Promise<GuardOutcome>

  /**
   * `guard` for a name that belongs to no user. It takes every step that `guard` takes for a user who exists: attempts
   * under one name wait for one another, fail and lock by the same policy, with the same commands. So with a `verify`
   * against a made-up credential the name cannot be distinguished from one that exists, neither by the answer nor by time. Never
   * answers `'success'`.
   *
   * What is remembered for that is no record: no verb shows it, no event tells of it, and it ends with its lock and
   * `maxDeltaTimeMs`, also where a user would be locked for good. At most 16 384 names are remembered per realm (in
   * memory: in all); beyond that those that end soonest are forgotten. `removeByRealm` and `recompute` forget them.
   *
   * @throws {TypeError} `username` is no text, or as `guard`
   */
  guardUnknownUser(
    realmId: string,
    options: UnknownUserOptions,
    verify: () => Promise<boolean>,
  ): Promise<Exclude<GuardOutcome, { outcome: 'success' }>>

  /** Why an attempt would be refused or allowed now, by which rule, until when. Changes nothing. */
  explain(
    realmId: string,
    userId: string,
    options?: { readonly ip?: string | undefined },
  ): Promise<Explanation>

  /** What Keycloak's admin console shows of a user. All zero without a record or protection. */
  status(realmId: string, userId: string): Promise<AdminStatus>

  /**
   * Users and networks that are locked out now, a page at a time: those whose lock ends first come first, those that are locked
   * for good last, in no order among locks that end at one instant. Changes nothing.
   *
   * Each is locked by the settings of now, as `check` would say. Of those that stay locked none is missed and none comes twice.
   * Whom new settings lock without a further failure is listed once `recompute` has run. Locks that a node set alone, while
   * the store was away, are not listed. The list of a realm without protection is empty.
   */
  listLocked(realmId: string, page?: PageOptions): Promise<Page<LockedOut>>

  /** Forgets a user's failures and ends any lock, also a permanent one. Safe to repeat. Returns whether there was a record. */
  clear(realmId: string, userId: string): Promise<boolean>

  /** Forgets what came from the network of an address. Returns whether there was a record. */
  clearAddress(realmId: string, ip: string): Promise<boolean>

  /**
   * Forgets every user and address of a realm, a hundred per step; other realms are untouched. Tells no events.
   *
   * @returns how many records were removed
   */
  removeByRealm(realmId: string): Promise<number>

  /**
   * Gives every record of a realm the life it has under the realm's settings of now, a hundred per step: call it after they
   * changed. Counts and locks stay; with protection switched off the records go. Tells no events. Safe to repeat.
   */
  recompute(realmId: string): Promise<{ readonly updated: number; readonly removed: number }>

  /**
   * Listens to what happens through this provider on this node. What a listener throws, or rejects with when it is an
   * async function, is logged once and does not reach the caller.
   *
   * @param event `'*'`: all of them.
   * @returns stops listening
   */
  on<E extends keyof LoginFailureEvents | '*'>(
    event: E,
    listener: (event: EventOf<LoginFailureEvents, E>) => void,
  ): () => void
}

/** Name under which the registry knows this SPI. */
export const loginFailureSpi = defineSpi<LoginFailureProvider>('login-failure', {
  realmSettings: { bruteForce: (settings, place) => policyOf(settings as BruteForceSettings, place) },
})
