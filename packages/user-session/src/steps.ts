import { isExpired, type Realm } from '@authstate/spi'
import type { CheckedSession } from './checks.js'
import type { ClientRemovalReason, ClientTokenRotation, RefusalReason, RotationOutcome } from './contract.js'
import { clientLives, type Lives, userLives } from './expiry.js'
import { hasLimit, type Limits, makeRoom, type Newcomer } from './limits.js'
import { decideRotation, earliestIssue } from './rotation.js'
import type { Ending, StepResult } from './session-records.js'
import type { SessionName } from './store.js'
import {
  draft,
  dropClient,
  expiryOf,
  familiesOf,
  liveClient,
  openClient,
  putClient,
  rememberFamily,
  type StoredClient,
  type StoredSession,
  settle,
  settleClient,
} from './stored.js'

/** A session that is there and has not ended. */
export function living(session: StoredSession | undefined, now: number): StoredSession | undefined {
  return session === undefined || isExpired(session.expiresAt, now) ? undefined : session
}

/** A session that brings something for which there has to be room. */
interface Arrival extends Pick<StoredSession, 'id' | 'offline'> {
  readonly adds: Newcomer['adds']
  /** The client of the client session that it brings. */
  readonly clientId: string | undefined
}

const newcomerOf = ({ id, offline, adds, clientId }: Arrival): Newcomer => ({
  id,
  adds,
  bringsClient: clientId !== undefined && !offline,
})

/** Whether the other sessions of the user matter. */
export function isLimited(arrival: Arrival, limits: Limits): boolean {
  return hasLimit(newcomerOf(arrival), limits)
}

/** The sessions of a user that end so that a newcomer fits, or why it is refused. */
export function roomFor(
  arrival: Arrival,
  sessions: readonly StoredSession[],
  limits: Limits,
  now: number,
): RefusalReason | readonly Ending[] {
  if (!isLimited(arrival, limits)) return []
  const { id, offline, clientId } = arrival
  const rivals = sessions
    .filter((session) => living(session, now) && (session.id !== id || session.offline !== offline))
    .map((session) => ({
      id: session.id,
      offline: session.offline,
      startedAt: session.startedAt,
      lastRefreshAt: session.lastRefreshAt,
      atClient: clientId !== undefined && liveClient(session, clientId, now) !== undefined,
      session,
    }))
  const room = makeRoom(rivals, newcomerOf(arrival), limits)
  return 'refused' in room ? room.refused : room.ends.map(({ session }) => ({ session, reason: 'limit' }))
}

/** Begins a session again: nothing but its id and its user stays. Answers the clients whose client sessions ended. */
export function restartIn(
  session: StoredSession,
  begun: CheckedSession,
  realm: Realm,
  now: number,
): readonly string[] {
  const fresh = draft(session.realmId, session.id, begun, realm, now)
  const before = [...session.clients.keys()]
  const ended = before.filter((clientId) => liveClient(session, clientId, now))
  for (const clientId of before) dropClient(session, clientId, now)
  const { id: _, realmId: __, offline: ___, clients, families: ____, ...changes } = fresh
  Object.assign(session, changes)
  for (const [clientId, client] of clients) session.clients.set(clientId, client)
  return ended
}

/** The living client sessions of an online session that are wanted. @param wanted All when left out. */
export function wantedOf(
  online: StoredSession,
  wanted: readonly string[] | undefined,
  lives: Lives,
  realm: Realm,
  now: number,
): ReadonlyMap<string, StoredClient> {
  const clients = new Map<string, StoredClient>()
  for (const clientId of online.clients.keys()) {
    if (wanted?.includes(clientId) === false) continue
    const livesAtClient = clientLives(realm, clientId, false)
    const source = openClient(online, clientId, lives, livesAtClient, now)
    if (source) clients.set(clientId, source)
  }
  return clients
}

/** The offline copy of a session, new or refreshed, with some of its client sessions. */
export function copyOf(
  online: StoredSession,
  existing: StoredSession | undefined,
  clients: ReadonlyMap<string, StoredClient>,
  beginning: string,
  realm: Realm,
  now: number,
): StoredSession {
  const copy: StoredSession = existing ?? {
    ...online,
    offline: true,
    beginning,
    startedAt: now,
    lastRefreshAt: now,
    clients: new Map(),
    families: new Map(),
  }
  const lives = userLives(realm, true)
  const livesByClient = new Map(
    [...clients.keys()].map((clientId) => [clientId, clientLives(realm, clientId, true)]),
  )
  copy.lastRefreshAt = Math.max(copy.lastRefreshAt, now)
  settle(copy, lives)
  for (const [clientId, source] of clients) {
    const livesAtClient = livesByClient.get(clientId) as Lives
    const living = openClient(copy, clientId, lives, livesAtClient, now)
    const client = putClient(copy, { ...(living ?? source), clientId }, now)
    settleClient(copy, client, lives, livesAtClient)
  }
  return copy
}

/** Decides on a refresh token in a client session, and ends that where it was replayed. */
export function rotateIn(
  session: StoredSession,
  rotation: ClientTokenRotation,
  lives: Lives,
  livesAtClient: Lives,
  now: number,
): StepResult<RotationOutcome> {
  const { clientId, family } = rotation
  const keeps = [session]
  const client = openClient(session, clientId, lives, livesAtClient, now)
  if (client === undefined) return { answer: { outcome: 'gone' }, keeps }
  settle(session, lives)
  settleClient(session, client, lives, livesAtClient)
  const families = familiesOf(session, clientId)
  const notBefore = Math.max(earliestIssue(client.startedAt), families.forgottenAt + 1)
  const { outcome, ends, ...decision } = decideRotation(families.known.get(family), rotation, notBefore, now)
  if (decision.family) rememberFamily(families, family, decision.family)
  if (!ends) return { answer: outcome, keeps }
  return detach(session, clientId, outcome.outcome === 'reused' ? 'reused' : 'stale', outcome, now)
}

/** Computes every life of a living session again. @returns whether one of them changed */
export function recomputeIn(session: StoredSession, lives: Lives, realm: Realm, now: number): boolean {
  const clients = [...session.clients].filter(([, { expiresAt }]) => !isExpired(expiresAt, now))
  const livesByClient = clients.map(([clientId]) => clientLives(realm, clientId, session.offline))
  const before = endsOf(session)
  settle(session, lives)
  for (const [index, [, client]] of clients.entries())
    settleClient(session, client, lives, livesByClient[index] as Lives)
  return endsOf(session) !== before
}

function endsOf(session: StoredSession): string {
  return [session, ...session.clients.values()].map(({ expiresAt }) => expiresAt).join()
}

/** A session that lives by the time-outs of now. One that does not is settled so. */
export function openSession(session: StoredSession, lives: Lives, now: number): boolean {
  const expiresAt = expiryOf(session, lives)
  if (!isExpired(expiresAt, now)) return true
  session.expiresAt = expiresAt
  return false
}

/** Takes away what is over, and what cannot be read of what should be. */
export function sweepIn(
  session: StoredSession | undefined,
  name: SessionName,
  now: number,
): StepResult<'ended' | 'gone' | 'stays'> {
  if (session === undefined) return { answer: 'gone', drops: [name] }
  if (!isExpired(session.expiresAt, now)) return { answer: 'stays' }
  return { answer: 'ended', ends: [{ session, reason: 'expired' }] }
}

export const GONE = Object.freeze({ outcome: 'gone' } as const)
const ENDED = Object.freeze({ outcome: 'refused', reason: 'ended' } as const)
/** The step of a login that began before the sessions of its user were ended. */
export const REFUSED = Object.freeze({ answer: ENDED })
/** The step that changes nothing, in a sum of steps. */
export const NOTHING: StepResult<number> = Object.freeze({ answer: 0 })

/** Takes a client session out of a session that stays. */
export function detach<T>(
  session: StoredSession,
  clientId: string,
  reason: ClientRemovalReason,
  answer: T,
  now: number,
): StepResult<T> {
  dropClient(session, clientId, now)
  return { answer, keeps: [session], detached: { session, clientIds: [clientId], reason } }
}
