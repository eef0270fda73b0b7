import { Pruner } from '@authstate/spi'
import type { Policy } from './policy.js'
import {
  applyFailure,
  applySuccess,
  attemptsLeft,
  expiryOf,
  type FailureState,
  type FailureStep,
  isExpired,
  isLocked,
  NO_FAILURES,
} from './rules.js'
import type {
  FailureStore,
  Policies,
  Reservation,
  ReservationOutcome,
  StoredFailure,
  StoredSuccess,
  Subject,
  SuccessOutcome,
} from './store.js'

interface Entry {
  readonly subject: Subject
  state: FailureState
}

/** Counts in this process. */
export class MemoryStore implements FailureStore {
  readonly #entries = new Map<string, Entry>()
  readonly #entryPruner = new Pruner(this.#entries)
  /** Until when each attempt is reserved, by subject. */
  readonly #attempts = new Map<string, Map<string, number>>()
  readonly #attemptPruner = new Pruner(this.#attempts)

  async load(subject: Subject, now: number): Promise<FailureState | undefined> {
    return this.#live(subject, now)
  }

  async fail(subject: Subject, policy: Policy, failure: StoredFailure): Promise<FailureStep> {
    const { now } = failure
    this.#endAttempt(subject, failure.attempt)
    const step = applyFailure(this.#live(subject, now) ?? NO_FAILURES, policy, failure)
    if (step.counted) this.#store(subject, step.state, now)
    return step
  }

  async succeed(subject: Subject, policy: Policy, success: StoredSuccess): Promise<SuccessOutcome> {
    const { now, attempt, secondary } = success
    this.#endAttempt(subject, attempt)
    const before = this.#live(subject, now)
    if (before === undefined) return { outcome: 'cleared', before, after: undefined }
    if (before.permanentlyLockedAt > 0 || (attempt !== '' && isLocked(before, policy, now))) {
      return { outcome: 'locked', state: before }
    }
    const after = applySuccess(before, secondary)
    if (after === undefined) this.#entries.delete(nameOf(subject))
    else this.#store(subject, after, now)
    return { outcome: 'cleared', before, after }
  }

  async reserve(subject: Subject, policy: Policy, reservation: Reservation): Promise<ReservationOutcome> {
    const { now, attempt, leaseMs, secondary } = reservation
    const state = this.#live(subject, now) ?? NO_FAILURES
    const left = attemptsLeft(state, policy, now, secondary)
    if (left === 0) return { outcome: 'locked', state }
    const name = nameOf(subject)
    const attempts = this.#attempts.get(name) ?? new Map<string, number>()
    for (const [other, until] of attempts) if (isExpired(until, now)) attempts.delete(other)
    if (attempts.size >= left) return { outcome: 'busy' }
    this.#attempts.set(name, attempts.set(attempt, now + leaseMs))
    this.#pruneAttempts(now)
    return { outcome: 'reserved' }
  }

  async release(subject: Subject, attempt: string): Promise<void> {
    this.#endAttempt(subject, attempt)
  }

  async remove(subject: Subject, now: number): Promise<FailureState | undefined> {
    const state = this.#live(subject, now)
    this.#entries.delete(nameOf(subject))
    return state
  }

  async removeRealm(realmId: string, now: number): Promise<number> {
    let removed = 0
    for (const [name, { subject, state }] of this.#entries) {
      if (subject.realmId !== realmId) continue
      this.#entries.delete(name)
      if (!isExpired(state.expiresAt, now)) removed += 1
    }
    return removed
  }

  async applyPolicies(realmId: string, policies: Policies, now: number) {
    let updated = 0
    let removed = 0
    for (const [name, entry] of this.#entries) {
      if (entry.subject.realmId !== realmId || isExpired(entry.state.expiresAt, now)) continue
      const policy = policies[entry.subject.rule]
      const expiresAt = policy === undefined ? 0 : expiryOf(entry.state, policy)
      if (isExpired(expiresAt, now)) {
        this.#entries.delete(name)
        removed += 1
      } else if (expiresAt !== entry.state.expiresAt) {
        entry.state = { ...entry.state, expiresAt }
        updated += 1
      }
    }
    return { updated, removed }
  }

  clear(): void {
    this.#entries.clear()
    this.#attempts.clear()
  }

  #live(subject: Subject, now: number): FailureState | undefined {
    const state = this.#entries.get(nameOf(subject))?.state
    return state && !isExpired(state.expiresAt, now) ? state : undefined
  }

  #store(subject: Subject, state: FailureState, now: number): void {
    const name = nameOf(subject)
    if (isExpired(state.expiresAt, now)) this.#entries.delete(name)
    else this.#entries.set(name, { subject, state })
    this.#entryPruner.prune((entry) => isExpired(entry.state.expiresAt, now))
  }

  #pruneAttempts(now: number): void {
    this.#attemptPruner.prune((attempts) => {
      for (const [attempt, until] of attempts) if (isExpired(until, now)) attempts.delete(attempt)
      return attempts.size === 0
    })
  }

  #endAttempt(subject: Subject, attempt: string): void {
    const name = nameOf(subject)
    const attempts = this.#attempts.get(name)
    attempts?.delete(attempt)
    if (attempts?.size === 0) this.#attempts.delete(name)
  }
}

const nameOf = ({ realmId, rule, id }: Subject): string => JSON.stringify([realmId, rule, id])
