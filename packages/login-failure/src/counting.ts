import { allSteps, type Clock, randomId, uncertaintyOf } from '@authstate/spi'
import type { CheckOutcome, EventSubject, Lock, LockRule, LoginFailureOutcome } from './contract.js'
import type { Events } from './events.js'
import type { Policy } from './policy.js'
import { type Failure, type FailureState, type FailureStep, isLocked, lockOf } from './rules.js'
import type { FailureStore, ReservationOutcome, Subject } from './store.js'

/** Somebody whose failures are counted, and by which policy. */
export interface Rule {
  readonly subject: Subject
  readonly policy: Policy
}

export type Reserved =
  /** Every attempt that is left under this rule is reserved. */
  | { readonly outcome: 'busy'; readonly rule: LockRule }
  | { readonly outcome: 'reserved'; readonly attempt: string }
  | { readonly outcome: 'locked'; readonly lock: Lock }

/** What a success led to: `lock` when it came too late to count. */
export interface Succeeded {
  readonly cleared: boolean
  readonly lock?: Lock
}

/**
 * Applies steps to every rule of an attempt, in one tick, on one store, and tells events.
 *
 * Each rule's step is atomic; together they are not.
 */
export class Counting {
  readonly #store: FailureStore
  readonly #clock: Clock
  readonly #events: Events

  constructor(store: FailureStore, clock: Clock, events: Events) {
    this.#store = store
    this.#clock = clock
    this.#events = events
  }

  async check(rules: readonly Rule[]): Promise<CheckOutcome> {
    const now = this.#clock.now()
    const states = await each(rules, ({ subject }) => this.#store.load(subject, now))
    return strongestLock(rules, states, now)
  }

  async fail(
    rules: readonly Rule[],
    failure: Omit<Failure, 'at'> & { readonly at: number | undefined },
    attempt: string,
  ): Promise<LoginFailureOutcome> {
    const now = this.#clock.now()
    const { ip, secondary } = failure
    const stored = { ip, secondary, at: Math.min(failure.at ?? now, now), now, attempt }
    const [only] = rules
    const steps =
      rules.length === 1 && only !== undefined
        ? [await this.#store.fail(only.subject, only.policy, stored)]
        : await each(rules, ({ subject, policy }) => this.#store.fail(subject, policy, stored))
    rules.forEach(({ subject }, index) => {
      const step = steps[index]
      if (step !== undefined && step.newLock !== '' && !subject.decoy) {
        this.#tellLock(subject, step, stored.at)
      }
    })
    return outcomeOf(rules, steps, now)
  }

  /** Forgets the user's failures. The address's stay: a valid login now and then would hide the others. */
  async succeed(rules: readonly Rule[], secondary: boolean, attempt: string): Promise<Succeeded> {
    const now = this.#clock.now()
    const results = await each(rules, async ({ subject, policy }) => {
      if (subject.rule === 'user') return this.#store.succeed(subject, policy, { now, attempt, secondary })
      await this.#store.release(subject, attempt)
      return undefined
    })
    const user = results.findIndex((result) => result !== undefined)
    const [rule, result] = [rules[user], results[user]]
    if (rule === undefined || result === undefined) return { cleared: false }
    if (result.outcome === 'locked') {
      const lock = lockOf(result.state, rule.policy, now, 'user')
      return { cleared: false, ...(lock.locked && { lock }) }
    }
    const { before, after } = result
    if (before === undefined || after?.numFailures === before.numFailures) return { cleared: false }
    const event = { ...about(rule.subject), at: now, numFailures: before.numFailures }
    // A lock stays together with the failures of a second factor.
    if (after === undefined && isLocked(before, rule.policy, now)) {
      this.#events.emit('unlock', { ...event, cause: 'success' })
    }
    this.#events.emit('success-after-failures', event)
    return { cleared: true }
  }

  /** Reserves an attempt under every rule or none. */
  async reserve(rules: readonly Rule[], secondary: boolean, leaseMs: number): Promise<Reserved> {
    const now = this.#clock.now()
    const attempt = randomId()
    // A reservation that another node made ends by that node's reading of the clock.
    const lapsedAt = Math.floor(now - uncertaintyOf(this.#clock))
    const reservation = { now, lapsedAt, attempt, leaseMs, secondary }
    const settled = await Promise.allSettled(
      rules.map(({ subject, policy }) => this.#store.reserve(subject, policy, reservation)),
    )
    const results = settled.map((step) => (step.status === 'fulfilled' ? step.value : undefined))
    if (results.every((result) => result?.outcome === 'reserved')) return { outcome: 'reserved', attempt }

    const granted = rules.filter((_, index) => results[index]?.outcome === 'reserved')
    await this.release(granted, attempt)
    for (const step of settled) if (step.status === 'rejected') throw step.reason
    const lock = strongestLock(rules, results.map(lockedState), now)
    if (lock.locked) return { outcome: 'locked', lock }
    const busy = results.findIndex((result) => result?.outcome === 'busy')
    return { outcome: 'busy', rule: rules[busy]?.subject.rule ?? 'user' }
  }

  /** Gives reservations back. What cannot be given back ends by itself. */
  async release(rules: readonly Rule[], attempt: string): Promise<void> {
    await Promise.allSettled(rules.map(({ subject }) => this.#store.release(subject, attempt)))
  }

  /** Forgets a subject. @returns whether there was something */
  async remove(subject: Subject, policy: Policy | undefined): Promise<boolean> {
    const now = this.#clock.now()
    const before = await this.#store.remove(subject, now)
    if (before !== undefined && policy !== undefined && isLocked(before, policy, now)) {
      const { numFailures } = before
      this.#events.emit('unlock', { ...about(subject), at: now, numFailures, cause: 'cleared' })
    }
    return before !== undefined
  }

  #tellLock(subject: Subject, { state, newLock }: FailureStep, at: number): void {
    const reason = state.reason === '' ? 'failures' : state.reason
    const event = { ...about(subject), at, numFailures: state.numFailures, reason }
    if (newLock === 'permanent') this.#events.emit('permanent-lock', event)
    else this.#events.emit('temporary-lock', { ...event, until: state.lockedUntil })
  }
}

/**
 * Starts one step per rule in the same tick and waits for all of them.
 *
 * @throws the first failure, after every step has ended
 */
export async function each<T>(rules: readonly Rule[], step: (rule: Rule) => Promise<T>): Promise<T[]> {
  if (rules.length === 1) return [await step(rules[0] as Rule)]
  return allSteps(rules.map(step))
}

/** The lock that refuses for longest, or that there is none. */
function strongestLock(
  rules: readonly Rule[],
  states: readonly (FailureState | undefined)[],
  now: number,
): CheckOutcome {
  let strongest: CheckOutcome = { locked: false }
  rules.forEach(({ subject, policy }, index) => {
    const lock = lockOf(states[index], policy, now, subject.rule)
    if (lock.locked && (!strongest.locked || endOf(lock) > endOf(strongest))) strongest = lock
  })
  return strongest
}

function outcomeOf(rules: readonly Rule[], steps: readonly FailureStep[], now: number): LoginFailureOutcome {
  const user = steps[rules.findIndex(({ subject }) => subject.rule === 'user')]
  return {
    counted: (user ?? steps[0])?.counted ?? false,
    numFailures: user?.state.numFailures ?? 0,
    numTemporaryLockouts: user?.state.numTemporaryLockouts ?? 0,
    numSecondaryAuthFailures: user?.state.numSecondaryAuthFailures ?? 0,
    permanent: false,
    ...strongestLock(
      rules,
      steps.map(({ state }) => state),
      now,
    ),
    newlyLocked: steps.some(({ newLock }) => newLock !== ''),
  }
}

const lockedState = (result: ReservationOutcome | undefined): FailureState | undefined =>
  result?.outcome === 'locked' ? result.state : undefined

const endOf = ({ permanent, until = 0 }: Lock): number => (permanent ? Number.POSITIVE_INFINITY : until)

/** Realm and subject of an event. */
export const about = ({ realmId, rule, id }: Subject): { realmId: string; subject: EventSubject } => ({
  realmId,
  subject: rule === 'user' ? { rule, userId: id } : { rule, network: id },
})
