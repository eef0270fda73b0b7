import type { UserSessionConfig } from './config.js'
import type { RefusalReason } from './contract.js'

/** The limits of a configuration; 0: any number. */
export interface Limits {
  /** Online sessions of a user. */
  readonly perUser: number
  /** Online sessions of a user with a client session at one client. */
  readonly perClient: number
  /** Offline sessions of a user. */
  readonly offline: number
  /** Online and offline sessions of a user together. */
  readonly total: number
  readonly policy: UserSessionConfig['limitPolicy']
}

export function limitsOf(config: UserSessionConfig): Limits {
  return {
    perUser: config.maxSessionsPerUser ?? 0,
    perClient: config.maxSessionsPerUserAndClient ?? 0,
    offline: config.maxOfflineSessionsPerUser ?? 0,
    total: config.maxTotalSessionsPerUser ?? 0,
    policy: config.limitPolicy,
  }
}

/** A living session of the user, the newcomer apart. */
export interface Rival {
  readonly id: string
  readonly offline: boolean
  readonly startedAt: number
  readonly lastRefreshAt: number
  /** Whether it has a living client session at the client that the newcomer brings. */
  readonly atClient: boolean
}

/** What is about to be added. */
export interface Newcomer {
  readonly id: string
  /** A session of this kind; `client`: a client session in an online session that is there. */
  readonly adds: 'online' | 'offline' | 'client'
  /** Whether it brings a client session that counts: one of an online session. */
  readonly bringsClient: boolean
}

/** Which sessions end so that the newcomer fits, or why it is refused. */
export type Room<R extends Rival> = { readonly ends: readonly R[] } | { readonly refused: RefusalReason }

interface Limit<R extends Rival> {
  readonly reason: RefusalReason
  readonly allowed: number
  readonly counts: (rival: R) => boolean
}

/** Whether anything limits a newcomer. */
export function hasLimit({ adds, bringsClient }: Omit<Newcomer, 'id'>, limits: Limits): boolean {
  if (bringsClient && adds !== 'offline' && limits.perClient > 0) return true
  if (adds === 'client') return false
  return limits.total > 0 || (adds === 'online' ? limits.perUser : limits.offline) > 0
}

/**
 * Decides about a newcomer by all limits, from the narrowest to the widest: per client, then per user of its kind, then in
 * all. What ends by one limit counts no more for the next. Where the policy ends sessions, those end that are the oldest, or
 * the least recently used, among those that the limit counts; of twins the online one first. The online session that an
 * offline one is copied from counts and does not end.
 */
export function makeRoom<R extends Rival>(
  rivals: readonly R[],
  { id, adds, bringsClient }: Newcomer,
  limits: Limits,
): Room<R> {
  const applied: Limit<R>[] = []
  if (bringsClient && adds !== 'offline') {
    const counts = ({ offline, atClient }: R) => !offline && atClient
    applied.push({ reason: 'client-limit', allowed: limits.perClient, counts })
  }
  if (adds === 'online') {
    applied.push({ reason: 'user-limit', allowed: limits.perUser, counts: ({ offline }) => !offline })
  }
  if (adds === 'offline') {
    applied.push({ reason: 'offline-limit', allowed: limits.offline, counts: ({ offline }) => offline })
  }
  if (adds !== 'client') applied.push({ reason: 'total-limit', allowed: limits.total, counts: () => true })

  const age = limits.policy === 'end-oldest' ? 'startedAt' : 'lastRefreshAt'
  const inOrder = [...rivals].sort(
    (a, b) => a[age] - b[age] || compareIds(a.id, b.id) || Number(a.offline) - Number(b.offline),
  )
  const ends = new Set<R>()
  for (const { reason, allowed, counts } of applied) {
    const counted = inOrder.filter((rival) => counts(rival) && !ends.has(rival))
    const excess = counted.length - allowed + 1
    if (allowed === 0 || excess <= 0) continue
    const mayEnd = limits.policy === 'reject' ? [] : counted.filter((rival) => rival.id !== id)
    if (mayEnd.length < excess) return { refused: reason }
    for (const rival of mayEnd.slice(0, excess)) ends.add(rival)
  }
  return { ends: [...ends] }
}

const compareIds = (a: string, b: string): number => (a < b ? -1 : Number(a > b))
