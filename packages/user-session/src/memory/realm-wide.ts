import type { Realm } from '@authstate/spi'
import type { CheckedPage } from '../checks.js'
import type { Page, RemovalReason, UserSession } from '../contract.js'
import { comparePlaces, encodeCursor, type Place } from '../cursor.js'
import { clientLives, isOver, userLives } from '../expiry.js'
import { beganBefore } from '../moments.js'
import { liveClient, type StoredSession, settle, settleClient, snapshot } from '../stored.js'
import type { MemoryStore } from './store.js'

/** A page of the living among some sessions. @param clientId Only those with this client session alive. */
export function pageOf(
  sessions: readonly StoredSession[],
  { limit, after }: CheckedPage,
  now: number,
  clientId?: string,
): Page<UserSession> {
  const places = new Map<StoredSession, Place>()
  for (const session of sessions) {
    const score = endOf(session, now, clientId)
    if (!isOver(score, now)) places.set(session, { score, id: session.id })
  }
  const ahead = [...places]
    .filter(([, place]) => comparePlaces(place, after) > 0)
    .sort(([, a], [, b]) => comparePlaces(a, b))
  const shown = ahead.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(([session]) => snapshot(session, now)),
    ...(last && ahead.length > limit && { cursor: encodeCursor(last[1]) }),
  }
}

/** How many of some sessions live. @param clientId With this client session. */
export function countOf(sessions: readonly StoredSession[], now: number, clientId?: string): number {
  return sessions.filter((session) => !isOver(endOf(session, now, clientId), now)).length
}

function endOf(session: StoredSession, now: number, clientId: string | undefined): number {
  if (clientId === undefined) return session.expiresAt
  return Math.min(session.expiresAt, liveClient(session, clientId, now)?.expiresAt ?? 0)
}

/**
 * Ends sessions; those that are over already stay for the sweep.
 *
 * @param mark Of a removal: only those that began before it.
 */
export function endAll(
  store: MemoryStore,
  sessions: readonly StoredSession[],
  reason: RemovalReason,
  now: number,
  mark?: string,
): number {
  const living = sessions.filter(
    ({ beginning, expiresAt }) =>
      !isOver(expiresAt, now) && (mark === undefined || beganBefore(beginning, mark)),
  )
  for (const session of living) store.end(session, reason)
  return living.length
}

/** Computes every life of a realm anew. @returns How many sessions changed. */
export function recompute(store: MemoryStore, realmId: string, realm: Realm, now: number): number {
  let changed = 0
  for (const offline of [false, true]) {
    const lives = userLives(realm, offline)
    for (const session of store.table(realmId, offline).all()) {
      if (isOver(session.expiresAt, now)) continue
      const before = endsOf(session)
      settle(session, lives)
      for (const [clientId, client] of session.clients) {
        if (isOver(client.expiresAt, now)) continue
        settleClient(session, client, lives, clientLives(realm, clientId, offline))
      }
      if (endsOf(session) !== before) changed += 1
    }
  }
  return changed
}

function endsOf(session: StoredSession): string {
  return [session, ...session.clients.values()].map(({ expiresAt }) => expiresAt).join()
}

/** Takes away what is over. */
export function sweep(store: MemoryStore, now: number): number {
  let swept = 0
  for (const table of store.tables()) {
    for (const session of table.all()) {
      if (!isOver(session.expiresAt, now)) continue
      store.expire(session)
      swept += 1
    }
  }
  store.prune()
  return swept
}
