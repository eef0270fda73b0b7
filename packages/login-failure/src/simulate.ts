import {
  assertOneOf,
  assertOptions,
  assertSpanMs,
  type BruteForceSettings,
  isExpired,
  type Known,
} from '@authstate/spi'
import { CATEGORIES } from './checks.js'
import type { FailureCategory, LockReason, LoginFailure } from './contract.js'
import { policyOf } from './policy.js'
import {
  applyFailure,
  applySuccess,
  type FailureState,
  lockOf,
  NO_FAILURES,
  toLoginFailure,
} from './rules.js'

/** Something that happened to one user. */
export interface SimulatedEvent {
  readonly type: 'failure' | 'success' | 'clear'
  /** Whole ms on any scale, above 0. */
  readonly at: number
  /** @default 'password' */
  readonly category?: FailureCategory | undefined
}

/** How things stand after an event. */
export interface SimulatedStep {
  readonly event: SimulatedEvent
  /** `false` for an attempt that was refused because of a lock: then it was not counted, or not let in. */
  readonly accepted: boolean
  readonly locked: boolean
  readonly until?: number
  readonly permanent: boolean
  readonly reason?: LockReason
  /** This very event set the lock. */
  readonly newlyLocked: boolean
  /** Absent when nothing is on record. */
  readonly failure?: LoginFailure
}

const TYPES = ['failure', 'success', 'clear'] as const satisfies readonly SimulatedEvent['type'][]

const EVENT: Known<SimulatedEvent> = { type: true, at: true, category: true }

function checkEvent(event: SimulatedEvent, name: string): void {
  assertOptions<SimulatedEvent>(event, name, EVENT)
  assertOneOf(event.type, `${name}.type`, TYPES)
  assertSpanMs(event.at, `${name}.at`)
  if (event.category !== undefined) assertOneOf(event.category, `${name}.category`, CATEGORIES)
}

/**
 * Plays a history through a policy, without a store: what would have happened, step by step.
 *
 * @param settings As in a realm's `bruteForce`; `enabled` is taken as `true`.
 * @throws {RangeError | TypeError} a setting that a realm could not have either; an event that is none
 */
export function simulate(settings: BruteForceSettings, history: readonly SimulatedEvent[]): SimulatedStep[] {
  const policy = policyOf({ ...settings, enabled: true }, 'settings')
  if (policy === undefined) return []
  let state: FailureState | undefined
  return history.map((event, index) => {
    checkEvent(event, `history[${index}]`)
    const { type, at } = event
    const secondary = event.category === 'otp'
    if (state !== undefined && isExpired(state.expiresAt, at)) state = undefined
    let accepted = true
    let newlyLocked = false
    if (type === 'failure') {
      const step = applyFailure(state ?? NO_FAILURES, policy, { at, ip: '', secondary })
      accepted = step.counted
      newlyLocked = step.newLock !== ''
      state = isExpired(step.state.expiresAt, at) ? undefined : step.state
    } else if (type === 'success') {
      accepted = !lockOf(state, policy, at, 'user').locked
      if (accepted && state !== undefined) state = applySuccess(state, secondary)
    } else {
      state = undefined
    }
    const lock = lockOf(state, policy, at, 'user')
    return {
      event,
      accepted,
      locked: lock.locked,
      permanent: lock.locked && lock.permanent,
      ...(lock.locked && { reason: lock.reason }),
      ...(lock.locked && lock.until !== undefined && { until: lock.until }),
      newlyLocked,
      ...(state !== undefined && { failure: toLoginFailure(state) }),
    }
  })
}
