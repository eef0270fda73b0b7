import type { AdminStatus, LockReason, RuleExplanation } from './contract.js'
import type { Rule } from './counting.js'
import type { Policy } from './policy.js'
import {
  applyFailure,
  attemptsLeft,
  type FailureState,
  isPermanentlyLocked,
  lockOf,
  NO_FAILURES,
  toLoginFailure,
} from './rules.js'

const REASONS: Readonly<Record<LockReason, string>> = {
  failures: 'too many failures',
  'quick-login': 'two failures in quick succession',
  'secondary-auth-failures': 'too many failures of the second factor',
  'concurrent-attempts': 'other attempts are being verified',
  'store-unavailable': 'the store is away',
}

/** What one rule says at an instant, and why. */
export function explainRule(
  { subject, policy }: Rule,
  state: FailureState | undefined,
  now: number,
): RuleExplanation {
  const lock = lockOf(state, policy, now, subject.rule)
  const left = attemptsLeft(state ?? NO_FAILURES, policy, now, false)
  const next = lock.locked ? undefined : nextLock(state ?? NO_FAILURES, policy, left, now)
  return {
    rule: subject.rule,
    locked: lock.locked,
    permanent: lock.locked && lock.permanent,
    ...(lock.locked && { reason: lock.reason }),
    ...(lock.locked && lock.until !== undefined && { until: lock.until }),
    ...(state !== undefined && { failure: toLoginFailure(state) }),
    attemptsLeft: left,
    ...(next?.ms !== undefined && { nextLockMs: next.ms }),
    text: textOf(state ?? NO_FAILURES, policy, lock, left, next),
  }
}

/** Keycloak's attack-detection status. */
export function adminStatus(
  state: FailureState | undefined,
  policy: Policy | undefined,
  now: number,
): AdminStatus {
  const { numFailures, numTemporaryLockouts, numSecondaryAuthFailures, lastFailureAt, lastIp, lockedUntil } =
    (policy && state) ?? NO_FAILURES
  const temporarily = lockedUntil > now
  return {
    disabled:
      temporarily || (policy !== undefined && state !== undefined && isPermanentlyLocked(state, policy)),
    numFailures,
    numTemporaryLockouts,
    numSecondaryAuthFailures,
    lastFailure: lastFailureAt,
    lastIPFailure: lastIp === '' ? 'n/a' : lastIp,
    ...(temporarily && { failedLoginNotBefore: Math.ceil(lockedUntil / 1000) }),
  }
}

interface NextLock {
  /** Absent for a lock that would be permanent. */
  readonly ms?: number
  readonly reason: LockReason
}

/** The lock that the last of the attempts that are left would set, were they all to fail now. */
function nextLock(state: FailureState, policy: Policy, left: number, now: number): NextLock | undefined {
  if (left === Number.POSITIVE_INFINITY) return undefined
  const almost =
    left === 1
      ? state
      : {
          ...state,
          numFailures: state.numFailures + left - 1,
          lastFailureAt: Math.max(state.lastFailureAt, now),
        }
  const { state: after, newLock } = applyFailure(almost, policy, { at: now, ip: '', secondary: false })
  if (newLock === '' || after.reason === '') return undefined
  return newLock === 'permanent'
    ? { reason: after.reason }
    : { ms: after.lockedUntil - now, reason: after.reason }
}

function textOf(
  state: FailureState,
  policy: Policy,
  lock: ReturnType<typeof lockOf>,
  left: number,
  next: NextLock | undefined,
): string {
  const counted = `${state.numFailures} of ${policy.failureFactor} failures`
  if (lock.locked) {
    const end = lock.permanent ? 'for good' : `until ${new Date(lock.until ?? 0).toISOString()}`
    return `Locked ${end}: ${REASONS[lock.reason]} (${counted}).`
  }
  if (next === undefined) return `Not locked: ${counted}; no number of failures locks.`
  const lasting = next.ms === undefined ? 'for good' : `for ${next.ms} ms`
  return `Not locked: ${counted}; ${left} at this moment would lock ${lasting} (${REASONS[next.reason]}).`
}
