import type { LockRule } from './contract.js'
import type { Policy } from './policy.js'
import type { Failure, FailureState, FailureStep } from './rules.js'

/** Whose failures are counted: a user's, or those from a network. */
export interface Subject {
  readonly realmId: string
  readonly rule: LockRule
  /** A user id, or a network as `networkOf` spells it. */
  readonly id: string
  /**
   * Stands for a user who does not exist, so that an attempt takes the way of one who does. Counted apart: at most
   * {@link MOST_DECOYS} of them, none for longer than `maxDeltaTimeMs` and its lock, and none is listed or told of.
   */
  readonly decoy?: true
}

/**
 * How many decoys a store remembers: beyond that it forgets those that end soonest. Names are made up by whoever asks, so
 * their number must have a bound; it is large enough that to flood it takes longer than to guess.
 */
export const MOST_DECOYS = 16_384

/** A failure as a store is told of it. */
export interface StoredFailure extends Failure {
  readonly now: number
  /** The reservation it uses up; `''` for none. */
  readonly attempt: string
}

export interface Reservation {
  readonly now: number
  /** Reservations of others that ended then or before have run out: now, less what the clock may be off. */
  readonly lapsedAt: number
  /** A name of its own for this one try. */
  readonly attempt: string
  readonly leaseMs: number
  /** A second factor will be verified. */
  readonly secondary: boolean
}

export type ReservationOutcome =
  | { readonly outcome: 'reserved' }
  /** Every attempt that is left is reserved by others. */
  | { readonly outcome: 'busy' }
  | { readonly outcome: 'locked'; readonly state: FailureState }

export interface StoredSuccess {
  readonly now: number
  /** The reservation it uses up; `''` for none. */
  readonly attempt: string
  readonly secondary: boolean
}

export type SuccessOutcome =
  /** `after`: what is left, `undefined` for nothing. */
  | {
      readonly outcome: 'cleared'
      readonly before: FailureState | undefined
      readonly after: FailureState | undefined
    }
  /** Locked for good, or locked while an attempt was reserved: nothing was cleared. */
  | { readonly outcome: 'locked'; readonly state: FailureState }

/** Policies of a realm, by rule; `undefined` for a rule that is off. */
export type Policies = Readonly<Record<LockRule, Policy | undefined>>

/**
 * What a store of failures can do, one atomic step each. The contract is written once above it, so that both stores
 * agree, and so that one store can stand in for another.
 */
export interface FailureStore {
  /** The living state of a subject. */
  load(subject: Subject, now: number): Promise<FailureState | undefined>
  /** Applies `applyFailure` and ends the reservation. */
  fail(subject: Subject, policy: Policy, failure: StoredFailure): Promise<FailureStep>
  /** Applies `applySuccess` and ends the reservation. */
  succeed(subject: Subject, policy: Policy, success: StoredSuccess): Promise<SuccessOutcome>
  /** Reserves an attempt if fewer are reserved than `attemptsLeft` says. */
  reserve(subject: Subject, policy: Policy, reservation: Reservation): Promise<ReservationOutcome>
  release(subject: Subject, attempt: string): Promise<void>
  /** Removes the record; answers what it was. */
  remove(subject: Subject, now: number): Promise<FailureState | undefined>
  /** Decoys go as well and are not in the number. */
  removeRealm(realmId: string, now: number): Promise<number>
  /** Recomputes when each record of a realm ends; removes those whose rule is off, and decoys, which are in no number. */
  applyPolicies(
    realmId: string,
    policies: Policies,
    now: number,
  ): Promise<{ readonly updated: number; readonly removed: number }>
}
