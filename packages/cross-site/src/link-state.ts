import type { LinkReason, LinkState } from './public.js'

/** When a site is taken offline. */
export interface OfflineRule {
  /** Failures in a row; 0: any number. */
  readonly afterFailures: number
  /** Time since the first of these failures began; 0: at once. If both are 0: never. */
  readonly minWaitMs: number
}

/** When a site that went offline by itself comes back. */
export interface RecoveryRule {
  readonly mode: 'auto' | 'manual'
  /** How long it has to answer without a failure. */
  readonly stableMs: number
}

/** The state of a service on a link. */
export interface Standing {
  readonly state: LinkState
  readonly reason?: LinkReason
  readonly message?: string
  readonly failures: number
  readonly firstFailureAt?: number
  readonly changedAt: number
  /** Whether the last failure was one of sending: then only a record that was taken shows that it works. */
  readonly needsTelling?: boolean
  /** If it is offline: since when the other site answers; 0: an operator wants it back. */
  readonly stableSince?: number
}

/** What failed or worked: the check whether the other site is there, or a record that was sent. */
export type Proof = 'beat' | 'tell'

/** How often a link may go offline by itself in this time before it has to answer for longer. */
const FLAPS = { most: 3, withinMs: 600_000, longestMs: 600_000 }

export const atFirst = (now: number): Standing => ({ state: 'connecting', failures: 0, changedAt: now })

/** Something that began at `sentAt` failed. A link that is offline or blocked stays so. */
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
  // A site that is catching up is not back yet: the first failure ends that.
  if (state === 'syncing' || (isEnough && (afterFailures > 0 || minWaitMs > 0)))
    return { state: 'offline', reason: 'auto', failures, firstFailureAt, changedAt: now }
  return state === 'suspect' ? counted : { ...counted, state: 'suspect', changedAt: now }
}

/** The other site answered. What an operator asked for stays. */
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

/** The other site has everything that it missed. If it failed before and there is nothing left to send, an answer is enough from now on. */
export function caughtUp(standing: Standing, now: number): Standing {
  if (standing.state === 'syncing') return { state: 'online', failures: 0, changedAt: now }
  if (standing.state !== 'suspect' || standing.needsTelling === undefined) return standing
  const { needsTelling: _, ...rest } = standing
  return rest
}

/** Another service of the link went offline and takes this one along. */
export const alongWith = (standing: Standing, spi: string, now: number): Standing =>
  standing.state === 'offline' || standing.state === 'blocked'
    ? standing
    : { state: 'offline', reason: `with:${spi}`, failures: standing.failures, changedAt: now }

/** Something is wrong that only an operator can fix. */
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

/** The recent times at which a link went offline by itself, and now. */
export const flapsWith = (flaps: readonly number[], now: number): readonly number[] => [
  ...flaps.filter((at) => now - at < FLAPS.withinMs),
  now,
]

/** How long a site has to answer after its link went offline by itself: twice as long for each time above three. */
export function stableMsAfter(stableMs: number, flaps: readonly number[], now: number): number {
  const recent = flaps.filter((at) => now - at < FLAPS.withinMs).length
  const doubled = stableMs * 2 ** Math.max(0, recent - FLAPS.most)
  return Math.max(stableMs, Math.min(doubled, FLAPS.longestMs))
}

/** Since when services were away that went offline by themselves, and come back by themselves now; `undefined`: none does. */
export function awaySince(
  before: ReadonlyMap<string, Standing>,
  now: ReadonlyMap<string, Standing>,
): number | undefined {
  const moments = [...before].flatMap(([spi, { state, reason, stableSince, firstFailureAt, changedAt }]) =>
    state === 'offline' && reason !== 'manual' && stableSince !== 0 && now.get(spi)?.state === 'syncing'
      ? [firstFailureAt ?? changedAt]
      : [],
  )
  return moments.length === 0 ? undefined : Math.min(...moments)
}

/** Whether changes are sent in a state. */
export const isOpenState = (state: LinkState | undefined): boolean =>
  state === 'online' || state === 'suspect' || state === 'syncing'

/** From the best to the worst: the state of a link is that of its worst service. */
const BY_WEIGHT: readonly LinkState[] = ['online', 'connecting', 'suspect', 'syncing', 'offline', 'blocked']

export const weightOf = ({ state }: Standing): number => BY_WEIGHT.indexOf(state)
