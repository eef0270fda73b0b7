import {
  beganBefore,
  comparePositions,
  encodeCursor,
  inSlices,
  isExpired,
  type Page,
  type PagePosition,
  type Realm,
  SLICE,
  turn,
} from '@authstate/spi'
import type { CheckedSessionPage } from '../checks.js'
import type { RemovalReason, UserSession } from '../contract.js'
import { clientLives, userLives } from '../expiry.js'
import { liveClient, type StoredSession, settle, settleClient, snapshot } from '../stored.js'
import type { Sessions } from './sessions.js'
import type { SortedSessions } from './sorted.js'

/** A page of the living among some sessions. */
export function pageOf(
  sessions: SortedSessions,
  { limit, after }: CheckedSessionPage,
  now: number,
): Page<UserSession> {
  const firstLiving: PagePosition = { score: now + 1, id: '' }
  const ahead = sessions.behind(comparePositions(after, firstLiving) > 0 ? after : firstLiving, limit + 1)
  const shown = ahead.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(({ session }) => snapshot(session, now)),
    ...(last && ahead.length > limit && { cursor: encodeCursor(last) }),
  }
}

/**
 * Ends those of a walk that still live; those that are over already stay for the sweep.
 *
 * @param mark Of a removal: only those that began before it.
 * @param except The id of a session that stays.
 */
export async function endAll(
  store: Sessions,
  sessions: Iterable<StoredSession>,
  reason: RemovalReason,
  now: number,
  mark?: string,
  except?: string,
): Promise<number> {
  let ended = 0
  await inSlices(sessions, (session) => {
    if (session.id === except) return
    if (!store.holds(session) || isExpired(session.expiresAt, now)) return
    if (mark !== undefined && !beganBefore(session.beginning, mark)) return
    store.end(session, reason)
    ended += 1
  })
  return ended
}

/** Ends the living client sessions of a client among some sessions. */
export async function detachAll(
  store: Sessions,
  sessions: Iterable<StoredSession>,
  clientId: string,
  now: number,
): Promise<number> {
  let ended = 0
  await inSlices(sessions, (session) => {
    if (!store.holds(session) || liveClient(session, clientId, now) === undefined) return
    store.detach(session, clientId, 'client')
    ended += 1
  })
  return ended
}

/** Counts the living sessions of every client. */
export async function statsOf(
  clientIds: Iterable<string>,
  ofClient: (clientId: string) => SortedSessions,
  now: number,
): Promise<[clientId: string, count: number][]> {
  const counts: [string, number][] = []
  await inSlices(clientIds, (clientId) => {
    const count = ofClient(clientId).countAfter(now)
    if (count > 0) counts.push([clientId, count])
  })
  return counts
}

/** Computes every life of a realm anew. @returns How many sessions changed. */
export async function recompute(
  store: Sessions,
  realmId: string,
  realm: Realm,
  now: number,
): Promise<number> {
  let changed = 0
  for (const offline of [false, true]) {
    const lives = userLives(realm, offline)
    const table = store.table(realmId, offline)
    await inSlices(table.all.after(now), (session) => {
      if (!table.has(session) || isExpired(session.expiresAt, now)) return
      const before = endsOf(session)
      settle(session, lives)
      for (const [clientId, client] of session.clients) {
        if (isExpired(client.expiresAt, now)) continue
        settleClient(session, client, lives, clientLives(realm, clientId, offline))
      }
      table.put(session)
      if (endsOf(session) !== before) changed += 1
    })
  }
  return changed
}

function endsOf(session: StoredSession): string {
  return [session, ...session.clients.values()].map(({ expiresAt }) => expiresAt).join()
}

/** Takes away what is over. */
export async function sweep(store: Sessions, now: number, onSwept: (count: number) => void): Promise<void> {
  for (const table of store.tables()) {
    for (;;) {
      const over = table.all.over(now, SLICE)
      for (const session of over) store.expire(session)
      onSwept(over.length)
      if (over.length < SLICE) break
      await turn()
    }
  }
  await store.prune()
}
