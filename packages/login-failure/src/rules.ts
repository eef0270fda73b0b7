import { hash } from 'node:crypto'
import type { PagePosition } from '@authstate/spi'
import type { CheckOutcome, LockReason, LockRule, LoginFailure } from './contract.js'
import { isPurePermanent, type Policy } from './policy.js'

/** An instant that never comes: the last one a `Date` can hold. */
export const NEVER = 8_640_000_000_000_000

/** What is counted about one user or network. 0 and `''` stand for "none". */
export interface FailureState {
  readonly numFailures: number
  readonly numTemporaryLockouts: number
  readonly numSecondaryAuthFailures: number
  readonly lastFailureAt: number
  readonly lastIp: string
  readonly lockedUntil: number
  readonly permanentlyLockedAt: number
  /** Why the last lock was set. */
  readonly reason: LockReason | ''
  /** {@link NEVER} for a record that stays until it is cleared. */
  readonly expiresAt: number
}

/** What a subject begins with. */
export const NO_FAILURES: FailureState = Object.freeze({
  numFailures: 0,
  numTemporaryLockouts: 0,
  numSecondaryAuthFailures: 0,
  lastFailureAt: 0,
  lastIp: '',
  lockedUntil: 0,
  permanentlyLockedAt: 0,
  reason: '',
  expiresAt: 0,
})

/** One failed attempt. */
export interface Failure {
  readonly at: number
  /** `''` for none. */
  readonly ip: string
  /** It was a second factor that failed. */
  readonly secondary: boolean
}

/** What a failure led to. */
export interface FailureStep {
  readonly state: FailureState
  /** `false`: the attempt was made while locked, and nothing changed. */
  readonly counted: boolean
  readonly newLock: 'temporary' | 'permanent' | ''
}

/** What a failure leaves behind when there was none of anything else before, and it locks nothing. */
export const usualStep = (
  numFailures: number,
  { maxDeltaTimeMs }: Policy,
  { at, ip }: Pick<Failure, 'at' | 'ip'>,
): FailureStep => ({
  counted: true,
  newLock: '',
  state: { ...NO_FAILURES, numFailures, lastFailureAt: at, lastIp: ip, expiresAt: at + maxDeltaTimeMs },
})

/** Whether the lock is for good: set so, or more temporary locks than the policy of now allows. */
export function isPermanentlyLocked(state: FailureState, policy: Policy): boolean {
  return (
    state.permanentlyLockedAt > 0 ||
    (policy.permanentLockout && state.numTemporaryLockouts > policy.maxTemporaryLockouts)
  )
}

/** Whether an attempt at an instant is refused. */
export function isLocked(state: FailureState, policy: Policy, at: number): boolean {
  return state.lockedUntil > at || isPermanentlyLocked(state, policy)
}

/** When a lock ends: {@link NEVER} where no time ends it. */
export function endOfLock(state: FailureState, policy: Policy): number {
  return isPermanentlyLocked(state, policy) ? NEVER : state.lockedUntil
}

/** A place in a listing of locks that says nothing of whom it names. */
export function lockPosition(rule: LockRule, id: string, endsAt: number): PagePosition {
  return { score: endsAt, id: hash('sha256', JSON.stringify([rule, id]), 'base64url').slice(0, 8) }
}

/** The lock that is in force at an instant, by one rule. */
export function lockOf(
  state: FailureState | undefined,
  policy: Policy,
  at: number,
  rule: LockRule,
): CheckOutcome {
  if (state === undefined || !isLocked(state, policy, at)) return { locked: false }
  const reason = state.reason === '' ? 'failures' : state.reason
  if (isPermanentlyLocked(state, policy)) return { locked: true, permanent: true, reason, rule }
  return { locked: true, until: state.lockedUntil, permanent: false, reason, rule }
}

/** When the record ends: a lock that lasts longer than `maxDeltaTimeMs` keeps it, a permanent one for ever. */
export function expiryOf(state: FailureState, policy: Policy): number {
  if (isPurePermanent(policy) || isPermanentlyLocked(state, policy)) return NEVER
  return mortalExpiryOf(state, policy)
}

/** When the record of a decoy ends: no lock of a decoy is for ever. */
export function mortalExpiryOf(state: FailureState, policy: Policy): number {
  return Math.min(NEVER, Math.max(state.lastFailureAt + policy.maxDeltaTimeMs, state.lockedUntil))
}

/**
 * The state after a failure: counts it, decides whether the earlier ones are too old to count, and locks.
 *
 * @see Keycloak's brute-force protector, whose order of steps this is, with the deviations that docs/deviations.md lists
 */
export function applyFailure(before: FailureState, policy: Policy, failure: Failure): FailureStep {
  const { at } = failure
  if (isLocked(before, policy, at)) return { state: before, counted: false, newLock: '' }

  const last = before.lastFailureAt
  const delta = last > 0 ? at - last : 0
  const pure = isPurePermanent(policy)
  const reset = !pure && delta > policy.maxDeltaTimeMs
  const numFailures = (reset ? 0 : before.numFailures) + 1
  let numTemporaryLockouts = reset ? 0 : before.numTemporaryLockouts
  let lockedUntil = reset ? 0 : before.lockedUntil
  let reason = before.reason
  let newLock: FailureStep['newLock'] = ''

  let waitMs = pure ? 0 : waitAfter(numFailures, policy)
  const quick = waitMs <= 0 && last > 0 && Math.abs(delta) < policy.quickLoginCheckMs
  if (quick) waitMs = policy.minimumQuickLoginWaitMs
  if (waitMs > 0) {
    if (!pure) waitMs = Math.min(policy.maxFailureWaitMs, waitMs)
    if (!quick) numTemporaryLockouts += 1
    if (quick || !policy.permanentLockout || numTemporaryLockouts <= policy.maxTemporaryLockouts) {
      lockedUntil = Math.min(NEVER, Math.max(lockedUntil, at + waitMs))
      if (lockedUntil > at) {
        reason = quick ? 'quick-login' : 'failures'
        newLock = 'temporary'
      }
    }
  }

  const numSecondaryAuthFailures = before.numSecondaryAuthFailures + (failure.secondary ? 1 : 0)
  let permanentlyLockedAt = 0
  if (
    failure.secondary &&
    policy.maxSecondaryAuthFailures > 0 &&
    numSecondaryAuthFailures > policy.maxSecondaryAuthFailures
  ) {
    permanentlyLockedAt = Math.max(at, 1)
    reason = 'secondary-auth-failures'
  } else if (
    policy.permanentLockout &&
    (numTemporaryLockouts > policy.maxTemporaryLockouts || (pure && numFailures >= policy.failureFactor))
  ) {
    permanentlyLockedAt = Math.max(at, 1)
    reason = 'failures'
  }
  if (permanentlyLockedAt > 0) newLock = 'permanent'

  const state: FailureState = {
    numFailures,
    numTemporaryLockouts,
    numSecondaryAuthFailures,
    lastFailureAt: Math.max(last, at),
    lastIp: failure.ip === '' && !reset ? before.lastIp : failure.ip,
    lockedUntil,
    permanentlyLockedAt,
    reason,
    expiresAt: 0,
  }
  return { state: { ...state, expiresAt: expiryOf(state, policy) }, counted: true, newLock }
}

/** How long the failures so far lock, before the ceiling: 0 or less for not at all. */
function waitAfter(numFailures: number, policy: Policy): number {
  const steps =
    policy.strategy === 'MULTIPLE'
      ? Math.floor(numFailures / policy.failureFactor)
      : 1 + numFailures - policy.failureFactor
  return policy.waitIncrementMs * steps
}

/** A success, in the form that a store gets. */
export interface StoredSuccess {
  readonly now: number
  /** The reservation it uses up; `''` for none. */
  readonly attempt: string
  /** A second factor was part of it. */
  readonly secondary: boolean
}

/** What a success leads to. */
export type SuccessOutcome =
  /** `after`: what is left, `undefined` for nothing. */
  | {
      readonly outcome: 'cleared'
      readonly before: FailureState | undefined
      readonly after: FailureState | undefined
    }
  /** Locked for good, or locked while an attempt was reserved: nothing was cleared. */
  | { readonly outcome: 'locked'; readonly state: FailureState }

/** What becomes of the failures so far: a success forgives them, unless a lock came first. */
export function decideSuccess(
  before: FailureState | undefined,
  policy: Policy,
  { now, attempt, secondary }: StoredSuccess,
): SuccessOutcome {
  if (before === undefined) return { outcome: 'cleared', before, after: undefined }
  if (before.permanentlyLockedAt > 0 || (attempt !== '' && isLocked(before, policy, now))) {
    return { outcome: 'locked', state: before }
  }
  return { outcome: 'cleared', before, after: applySuccess(before, secondary) }
}

/**
 * The state after a success, or `undefined` when nothing is left to keep.
 *
 * A permanent lock stays as it is. A success with the first factor alone forgives the failures of the first factor only:
 * those of a second one go on counting, and with them stay the locks that they may have set.
 */
export function applySuccess(before: FailureState, secondary: boolean): FailureState | undefined {
  if (before.permanentlyLockedAt > 0) return before
  if (secondary || before.numSecondaryAuthFailures === 0) return undefined
  return { ...before, numFailures: Math.min(before.numFailures, before.numSecondaryAuthFailures) }
}

/**
 * How many failures, all at one instant, there can be from here until one of them locks; 0 while locked.
 *
 * What may be verified in parallel: the policy would have allowed as many one after the other.
 *
 * @returns `Infinity` when no number of failures locks
 */
export function attemptsLeft(state: FailureState, policy: Policy, at: number, secondary: boolean): number {
  if (isLocked(state, policy, at)) return 0
  const pure = isPurePermanent(policy)
  const last = state.lastFailureAt
  const delta = last > 0 ? at - last : 0
  const reset = !pure && delta > policy.maxDeltaTimeMs
  const toFactor = Math.max(1, policy.failureFactor - (reset ? 0 : state.numFailures))
  const waits = pure || policy.maxFailureWaitMs > 0

  let left = Number.POSITIVE_INFINITY
  if (pure) left = toFactor
  else if (policy.waitIncrementMs > 0) {
    if (waits) left = toFactor
    else if (policy.permanentLockout) {
      left = toFactor + policy.maxTemporaryLockouts - (reset ? 0 : state.numTemporaryLockouts)
    }
  }
  if (waits && policy.quickLoginCheckMs > 0 && policy.minimumQuickLoginWaitMs > 0) {
    if (last > 0 && Math.abs(delta) < policy.quickLoginCheckMs) left = 1
    else if (at >= last) left = Math.min(left, 2)
  }
  if (secondary && policy.maxSecondaryAuthFailures > 0) {
    left = Math.min(left, Math.max(1, policy.maxSecondaryAuthFailures - state.numSecondaryAuthFailures + 1))
  }
  return left
}

/** The record as callers get it. */
export function toLoginFailure(state: FailureState): LoginFailure {
  return {
    numFailures: state.numFailures,
    numTemporaryLockouts: state.numTemporaryLockouts,
    numSecondaryAuthFailures: state.numSecondaryAuthFailures,
    lastFailureAt: state.lastFailureAt,
    ...(state.lastIp !== '' && { lastIp: state.lastIp }),
    ...(state.lockedUntil > 0 && { lockedUntil: state.lockedUntil }),
    ...(state.permanentlyLockedAt > 0 && { permanentlyLockedAt: state.permanentlyLockedAt }),
    ...(state.expiresAt < NEVER && { expiresAt: state.expiresAt }),
  }
}
