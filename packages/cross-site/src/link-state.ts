import type { LinkReason, LinkState } from './public.js'

/** When a site is taken offline. */
export interface OfflineRule {
  /** Failures in a row; 0: any number. */
  readonly afterFailures: number
  /** Since the first of them began; 0: at once. Both 0: never. */
  readonly minWaitMs: number
}

/** When a site comes back that was taken offline by itself. */
export interface RecoveryRule {
  readonly mode: 'auto' | 'manual'
  /** For how long it has to answer without a failure. */
  readonly stableMs: number
}

/** A service on a link, as it stands. */
export interface Standing {
  readonly state: LinkState
  readonly reason?: LinkReason
  readonly message?: string
  readonly failures: number
  readonly firstFailureAt?: number
  readonly changedAt: number
  /** Whether the last failure was one of telling: then only what is told shows that it works. */
  readonly needsTelling?: boolean
  /** Since when the other site answers, of one that is offline; 0: an operator wants it back. */
  readonly stableSince?: number
}

/** What failed or worked: the question whether the other site is there, or something that it was told. */
export type Proof = 'beat' | 'tell'

/** How many times a link may go offline by itself in this time before it has to prove itself for longer. */
const FLAPS = { most: 3, withinMs: 600_000, longestMs: 600_000 }

export const atFirst = (now: number): Standing => ({ state: 'connecting', failures: 0, changedAt: now })

/** Something failed that began then. What is offline or blocked stays so. */
export function failed(
  standing: Standing,
  sentAt: number,
  now: number,
  rule: OfflineRule,
  proof: Proof = 'beat',
): Standing {
  const { state, stableSince, ...rest } = standing
  if (state === 'blocked') return standing
  if (state === 'offline' && standing.reason === 'manual') return standing
  const failures = standing.failures + 1
  const firstFailureAt = standing.firstFailureAt ?? sentAt
  const needsTelling = proof === 'tell' || standing.needsTelling
  const counted = { ...rest, state, failures, firstFailureAt, ...(needsTelling && { needsTelling }) }
  if (state === 'offline') return stableSince === 0 ? { ...counted, stableSince } : counted
  const { afterFailures, minWaitMs } = rule
  const isEnough = failures >= afterFailures && now - firstFailureAt >= minWaitMs
  // What is being caught up with is not there yet: the first failure ends that.
  if (state === 'syncing' || (isEnough && (afterFailures > 0 || minWaitMs > 0)))
    return { state: 'offline', reason: 'auto', failures, firstFailureAt, changedAt: now }
  return state === 'suspect' ? counted : { ...counted, state: 'suspect', changedAt: now }
}

/** The other site answered. An operator's word stays. */
export function answered(
  standing: Standing,
  now: number,
  recovery: RecoveryRule,
  proof: Proof = 'beat',
): Standing {
  switch (standing.state) {
    case 'connecting':
      return { state: 'online', failures: 0, changedAt: now }
    case 'suspect':
      return standing.needsTelling && proof === 'beat'
        ? standing
        : { state: 'online', failures: 0, changedAt: now }
    case 'blocked':
      return proof === 'tell' ? standing : { state: 'syncing', failures: 0, changedAt: now }
    case 'offline': {
      if (standing.reason === 'manual' || proof === 'tell') return standing
      const since = standing.stableSince ?? now
      if (recovery.mode === 'manual' && since !== 0) return standing
      if (since === 0 || now - since >= recovery.stableMs)
        return { state: 'syncing', failures: 0, changedAt: now }
      return standing.stableSince === undefined ? { ...standing, stableSince: since } : standing
    }
    default:
      return standing
  }
}

/** The other site has all that it missed. One that failed, and that nothing more can be told, then only has to answer. */
export function caughtUp(standing: Standing, now: number): Standing {
  if (standing.state === 'syncing') return { state: 'online', failures: 0, changedAt: now }
  if (standing.state !== 'suspect' || standing.needsTelling === undefined) return standing
  const { needsTelling: _, ...rest } = standing
  return rest
}

/** Another service of the link went offline, and this one with it. */
export const alongWith = (standing: Standing, spi: string, now: number): Standing =>
  standing.state === 'offline' || standing.state === 'blocked'
    ? standing
    : { state: 'offline', reason: `with:${spi}`, failures: standing.failures, changedAt: now }

/** Something is wrong that only an operator can mend. */
export function blocked(standing: Standing, reason: LinkReason, message: string, now: number): Standing {
  if (standing.state === 'blocked' && standing.reason === reason) return standing
  if (standing.state === 'offline' && standing.reason === 'manual') return standing
  return { state: 'blocked', reason, message, failures: standing.failures, changedAt: now }
}

/** An operator took it offline, or wants it back as soon as it answers. */
export function byHand(standing: Standing, isOffline: boolean, now: number): Standing {
  const isSo = standing.state === 'offline' && standing.reason === 'manual'
  if (isOffline) return isSo ? standing : { state: 'offline', reason: 'manual', failures: 0, changedAt: now }
  return standing.state === 'offline'
    ? { state: 'offline', reason: 'auto', failures: 0, changedAt: standing.changedAt, stableSince: 0 }
    : standing
}

/** Times at which a link went offline by itself, of late, and now once more. */
export const flapsWith = (flaps: readonly number[], now: number): readonly number[] => [
  ...flaps.filter((at) => now - at < FLAPS.withinMs),
  now,
]

/** For how long a site has to answer, where its link went offline by itself so often: twice as long each time above three. */
export function stableMsAfter(stableMs: number, flaps: readonly number[], now: number): number {
  const recent = flaps.filter((at) => now - at < FLAPS.withinMs).length
  const doubled = stableMs * 2 ** Math.max(0, recent - FLAPS.most)
  return Math.max(stableMs, Math.min(doubled, FLAPS.longestMs))
}
