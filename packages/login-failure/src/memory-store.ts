import {
  type CheckedPage,
  comparePositions,
  FirstPositions,
  isExpired,
  type PagePosition,
} from '@authstate/spi'
import { entriesOfNow, inSlices, Pruner } from '@authstate/spi/internal'
import type { Policy } from './policy.js'
import {
  applyFailure,
  attemptsLeft,
  decideSuccess,
  endOfLock,
  expiryOf,
  type FailureState,
  type FailureStep,
  isLocked,
  lockPosition,
  mortalExpiryOf,
  NO_FAILURES,
  type StoredSuccess,
  type SuccessOutcome,
} from './rules.js'
import {
  type FailureStore,
  type LockPage,
  MOST_DECOYS,
  type Policies,
  type Reservation,
  type ReservationOutcome,
  type StoredFailure,
  type StoredLock,
  type Subject,
} from './store.js'

interface Entry {
  readonly subject: Subject
  state: FailureState
}

/** Counts in this process. */
export class MemoryStore implements FailureStore {
  readonly #entries = new Map<string, Entry>()
  readonly #entryPruner = new Pruner(this.#entries)
  /** Decoys, the one that was written last at the end. */
  readonly #decoys = new Map<string, Entry>()
  readonly #decoyPruner = new Pruner(this.#decoys)
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
    if (!step.counted) return step
    const state = subject.decoy
      ? { ...step.state, expiresAt: mortalExpiryOf(step.state, policy) }
      : step.state
    this.#store(subject, state, now)
    return { ...step, state }
  }

  async succeed(subject: Subject, policy: Policy, success: StoredSuccess): Promise<SuccessOutcome> {
    const { now, attempt } = success
    this.#endAttempt(subject, attempt)
    const result = decideSuccess(this.#live(subject, now), policy, success)
    if (result.outcome === 'locked' || result.before === undefined) return result
    if (result.after === undefined) this.#entriesOf(subject).delete(nameOf(subject))
    else this.#store(subject, result.after, now)
    return result
  }

  async reserve(subject: Subject, policy: Policy, reservation: Reservation): Promise<ReservationOutcome> {
    const { now, lapsedAt, attempt, leaseMs, secondary } = reservation
    const state = this.#live(subject, now) ?? NO_FAILURES
    const left = attemptsLeft(state, policy, now, secondary)
    if (left === 0) return { outcome: 'locked', state }
    const name = nameOf(subject)
    const attempts = this.#attempts.get(name) ?? new Map<string, number>()
    for (const [other, until] of attempts) if (isExpired(until, lapsedAt)) attempts.delete(other)
    if (attempts.size >= left) return { outcome: 'busy' }
    this.#attempts.set(name, attempts.set(attempt, now + leaseMs))
    this.#pruneAttempts(lapsedAt)
    return { outcome: 'reserved' }
  }

  async release(subject: Subject, attempt: string): Promise<void> {
    this.#endAttempt(subject, attempt)
  }

  async listLocked(realmId: string, policies: Policies, page: CheckedPage, now: number): Promise<LockPage> {
    const { limit, after } = page
    const first = new FirstPositions<PagePosition & StoredLock>(limit + 1)
    await inSlices(entriesOfNow(this.#entries), ([, { subject, state }]) => {
      const policy = policies[subject.rule]
      if (subject.realmId !== realmId || policy === undefined || isExpired(state.expiresAt, now)) return
      if (!isLocked(state, policy, now)) return
      const position = lockPosition(subject.rule, subject.id, endOfLock(state, policy))
      if (comparePositions(position, after) > 0) first.add({ ...position, subject, state })
    })
    const found = first.inOrder()
    const items = found.slice(0, limit)
    return { items, end: found.length > limit ? items.at(-1) : undefined }
  }

  async remove(subject: Subject, now: number): Promise<FailureState | undefined> {
    const state = this.#live(subject, now)
    this.#entriesOf(subject).delete(nameOf(subject))
    return state
  }

  async removeRealm(realmId: string, now: number): Promise<number> {
    await this.#forgetDecoys(realmId)
    let removed = 0
    await inSlices(entriesOfNow(this.#entries), ([name, { subject, state }]) => {
      if (subject.realmId !== realmId) return
      this.#entries.delete(name)
      if (!isExpired(state.expiresAt, now)) removed += 1
    })
    return removed
  }

  async applyPolicies(realmId: string, policies: Policies, now: number) {
    await this.#forgetDecoys(realmId)
    let updated = 0
    let removed = 0
    await inSlices(entriesOfNow(this.#entries), ([name, entry]) => {
      if (entry.subject.realmId !== realmId || isExpired(entry.state.expiresAt, now)) return
      const policy = policies[entry.subject.rule]
      const expiresAt = policy === undefined ? 0 : expiryOf(entry.state, policy)
      if (isExpired(expiresAt, now)) {
        this.#entries.delete(name)
        removed += 1
      } else if (expiresAt !== entry.state.expiresAt) {
        entry.state = { ...entry.state, expiresAt }
        updated += 1
      }
    })
    return { updated, removed }
  }

  async close(): Promise<void> {
    this.#entries.clear()
    this.#decoys.clear()
    this.#attempts.clear()
  }

  #entriesOf(subject: Subject): Map<string, Entry> {
    return subject.decoy ? this.#decoys : this.#entries
  }

  #live(subject: Subject, now: number): FailureState | undefined {
    const state = this.#entriesOf(subject).get(nameOf(subject))?.state
    return state && !isExpired(state.expiresAt, now) ? state : undefined
  }

  #store(subject: Subject, state: FailureState, now: number): void {
    const entries = this.#entriesOf(subject)
    const pruner = subject.decoy ? this.#decoyPruner : this.#entryPruner
    const name = nameOf(subject)
    if (subject.decoy || isExpired(state.expiresAt, now)) entries.delete(name)
    if (!isExpired(state.expiresAt, now)) entries.set(name, { subject, state })
    pruner.prune((entry) => isExpired(entry.state.expiresAt, now))
    for (const oldest of this.#decoys.keys()) {
      if (this.#decoys.size <= MOST_DECOYS) break
      this.#decoys.delete(oldest)
    }
  }

  #forgetDecoys(realmId: string): Promise<void> {
    return inSlices(entriesOfNow(this.#decoys), ([name, { subject }]) => {
      if (subject.realmId === realmId) this.#decoys.delete(name)
    })
  }

  #pruneAttempts(lapsedAt: number): void {
    this.#attemptPruner.prune((attempts) => {
      for (const [attempt, until] of attempts) if (isExpired(until, lapsedAt)) attempts.delete(attempt)
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

const nameOf = ({ realmId, rule, id, decoy }: Subject): string =>
  JSON.stringify([realmId, decoy ? 'decoy' : rule, id])
