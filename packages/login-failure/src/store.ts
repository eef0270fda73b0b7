import type { CheckedPage, PagePosition } from '@authstate/spi'
import type { LockRule } from './contract.js'
import type { Policy } from './policy.js'
import type { Failure, FailureState, FailureStep, StoredSuccess, SuccessOutcome } from './rules.js'

/** Whose failures are counted: a user's, or those from a network. */
export interface Subject {
  readonly realmId: string
  readonly rule: LockRule
  /** A user id, or a network as `networkOf` spells it. */
  readonly id: string
  /**
   * Stands for a user who does not exist, so that an attempt takes the same way as for a user who
   * does. Decoys are counted apart: at most {@link MOST_DECOYS} of them, none for longer than
   * `maxDeltaTimeMs` and its lock. They are not listed and emit no events.
   */
  readonly decoy?: true
}

/**
 * How many decoys a store remembers: beyond that it forgets those that end soonest. Callers make up
 * the names, so their number must have a bound. The bound is so large that flooding it takes longer
 * than guessing.
 */
export const MOST_DECOYS = 16_384

/** A failure, in the form that a store gets. */
export interface StoredFailure extends Failure {
  readonly now: number
  /** The reservation it uses up; `''` for none. */
  readonly attempt: string
}

/** An attempt to be reserved before it is verified. */
export interface Reservation {
  /** Ms since the epoch, as all instants. */
  readonly now: number
  /** Reservations of others that ended then or before have run out: now, less what the clock may be off. */
  readonly lapsedAt: number
  /** A name of its own for this one try. */
  readonly attempt: string
  readonly leaseMs: number
  /** A second factor will be verified. */
  readonly secondary: boolean
}

/** Whether an attempt may be verified. */
export type ReservationOutcome =
  | { readonly outcome: 'reserved' }
  /** Every attempt that is left is reserved by others. */
  | { readonly outcome: 'busy' }
  | { readonly outcome: 'locked'; readonly state: FailureState }

/** Policies of a realm, by rule; `undefined` for a rule that is off. */
export type Policies = Readonly<Record<LockRule, Policy | undefined>>

/** Somebody who is locked out, and why. */
export interface StoredLock {
  readonly subject: Subject
  readonly state: FailureState
}

/** Locks of a realm, by their end and, among those that end at one instant, in whatever order the store has. */
export interface LockPage {
  readonly items: readonly StoredLock[]
  /** Where it goes on: the id has eight characters of base64url, see {@link lockPosition}. Absent at the end. */
  readonly end?: PagePosition | undefined
}

/**
 * What a store of failures can do, one atomic step each: of calls at once, on whatever nodes, each sees all of another or none
 * of it. `LoginFailures` is the contract over it, written once, so that stores agree and one can stand in for another. All that
 * a store is given was checked; instants are ms since the epoch, by the clock of the deployment, and a store asks no other clock.
 *
 * A step that fails throws a `StoreUnavailableError`, whose `applied` says whether it may have been done.
 */
export interface FailureStore {
  /** Records that could not be read so far. @default 0 */
  readonly unreadable?: number
  /** The state of a subject, `undefined` where there is none or it has ended. */
  load(subject: Subject, now: number): Promise<FailureState | undefined>
  /**
   * Ends the reservation, applies {@link applyFailure} to the state so far ({@link NO_FAILURES} where there is none), and keeps
   * what comes of it where it was counted. A decoy ends at {@link mortalExpiryOf}.
   */
  fail(subject: Subject, policy: Policy, failure: StoredFailure): Promise<FailureStep>
  /** Ends the reservation, and does what {@link decideSuccess} says. */
  succeed(subject: Subject, policy: Policy, success: StoredSuccess): Promise<SuccessOutcome>
  /**
   * Reserves an attempt until `leaseMs` from now, if fewer are reserved than {@link attemptsLeft} says. Those that have lapsed do
   * not count.
   */
  reserve(subject: Subject, policy: Policy, reservation: Reservation): Promise<ReservationOutcome>
  /** Ends a reservation. There may be none. */
  release(subject: Subject, attempt: string): Promise<void>
  /**
   * Those of a realm that {@link isLocked} by the policy of their rule, behind a place: by {@link endOfLock}, then in an order that
   * stays. No decoys, and none whose rule is off. Need not be one step.
   */
  listLocked(realmId: string, policies: Policies, page: CheckedPage, now: number): Promise<LockPage>
  /** Removes the record. @returns what it was, `undefined` where there was none or it had ended */
  remove(subject: Subject, now: number): Promise<FailureState | undefined>
  /** Removes the records of a realm. @returns how many had not ended; decoys go as well and are not in the number */
  removeRealm(realmId: string, now: number): Promise<number>
  /**
   * Recomputes by {@link expiryOf} when each record of a realm ends; removes those that end thereby or whose rule is off, and
   * decoys, which are in no number.
   */
  applyPolicies(
    realmId: string,
    policies: Policies,
    now: number,
  ): Promise<{ readonly updated: number; readonly removed: number }>
  /** Resolves when the store can serve. */
  checkHealth?(): Promise<void>
  /** Ends what the store opened itself. Called once. */
  close?(): Promise<void>
}
