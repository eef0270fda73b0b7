import type { LinkReason, LinkState } from './public.js'

/** When a site is taken offline. */
export interface OfflineRule {
  /** Failures in a row; 0: any number. */
  readonly afterFailures: number
  /** Since the first of them began; 0: at once. Both 0: never. */
  readonly minWaitMs: number
}

/** A link as it stands. */
export interface Standing {
  readonly state: LinkState
  readonly reason?: LinkReason
  readonly message?: string
  readonly failures: number
  readonly firstFailureAt?: number
  readonly changedAt: number
}

export const atFirst = (now: number): Standing => ({ state: 'connecting', failures: 0, changedAt: now })

/** Something failed that began then. What is offline or blocked stays so. */
export function failed(standing: Standing, sentAt: number, now: number, rule: OfflineRule): Standing {
  if (standing.state === 'blocked') return standing
  const failures = standing.failures + 1
  const firstFailureAt = standing.firstFailureAt ?? sentAt
  const counted = { ...standing, failures, firstFailureAt }
  if (standing.state === 'offline') return counted
  const { afterFailures, minWaitMs } = rule
  const isEnough = failures >= afterFailures && now - firstFailureAt >= minWaitMs
  if (isEnough && (afterFailures > 0 || minWaitMs > 0))
    return { state: 'offline', reason: 'auto', failures, firstFailureAt, changedAt: now }
  return standing.state === 'suspect' ? counted : { ...counted, state: 'suspect', changedAt: now }
}

/** The other site answered. An operator's word stays. */
export function answered(standing: Standing, now: number): Standing {
  if (standing.state === 'offline' && standing.reason === 'manual') return standing
  if (standing.state === 'online') return standing
  return { state: 'online', failures: 0, changedAt: now }
}

/** Something is wrong that only an operator can mend. */
export function blocked(standing: Standing, reason: LinkReason, message: string, now: number): Standing {
  if (standing.state === 'blocked' && standing.reason === reason) return standing
  if (standing.state === 'offline' && standing.reason === 'manual') return standing
  return { state: 'blocked', reason, message, failures: standing.failures, changedAt: now }
}

/** An operator took it offline, or no longer has it so. */
export function byHand(standing: Standing, isOffline: boolean, now: number): Standing {
  const isSo = standing.state === 'offline' && standing.reason === 'manual'
  if (isSo === isOffline) return standing
  return isOffline
    ? { state: 'offline', reason: 'manual', failures: 0, changedAt: now }
    : { state: 'connecting', failures: 0, changedAt: now }
}
