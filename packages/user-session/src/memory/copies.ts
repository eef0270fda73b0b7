import { isExpired, type Realm } from '@authstate/spi'
import type { CheckedCopy, CheckedSession } from '../checks.js'
import { clientLives, userLives } from '../expiry.js'
import {
  draft,
  dropClient,
  expiryOf,
  liveClient,
  openClient,
  putClient,
  type StoredClient,
  type StoredSession,
  settle,
  settleClient,
} from '../stored.js'
import type { Sessions } from './sessions.js'

/** Whether a session has a living offline twin, by the time-outs of now. */
export function livesOffline(store: Sessions, online: StoredSession, realm: Realm, now: number): boolean {
  const twin = store.live(online.realmId, online.id, true, now)
  return twin !== undefined && !isExpired(expiryOf(twin, userLives(realm, true)), now)
}

/** The living client sessions of a session that are wanted; those that are over by the time-outs of now are settled so. */
export function wantedOf(
  online: StoredSession,
  wanted: readonly string[] | undefined,
  realm: Realm,
  now: number,
): Map<string, StoredClient> {
  const clients = new Map<string, StoredClient>()
  for (const clientId of online.clients.keys()) {
    const source = wanted?.includes(clientId) === false ? undefined : openClient(online, clientId, realm, now)
    if (source) clients.set(clientId, source)
  }
  return clients
}

/** Makes the offline twin of a session, or refreshes it, with some of its client sessions. */
export function copyOffline(
  store: Sessions,
  online: StoredSession,
  clients: ReadonlyMap<string, StoredClient>,
  { login }: CheckedCopy,
  realm: Realm,
  now: number,
): StoredSession {
  const twin = store.live(online.realmId, online.id, true, now)
  const existing = twin && livesOffline(store, online, realm, now) ? twin : undefined
  const over = existing ? undefined : store.table(online.realmId, true).get(online.id)
  if (over) store.expire(over)
  const copy: StoredSession = existing ?? {
    ...online,
    offline: true,
    beginning: login.beginning,
    startedAt: now,
    clients: new Map(),
    families: new Map(),
  }
  const lives = userLives(realm, true)
  copy.lastRefreshAt = Math.max(existing?.lastRefreshAt ?? now, now)
  settle(copy, lives)
  for (const [clientId, source] of clients) {
    const { protocol, redirectUri, action, notes } = openClient(copy, clientId, realm, now) ?? source
    const client = putClient(copy, { clientId, protocol, redirectUri, action, notes }, now)
    settleClient(copy, client, lives, clientLives(realm, clientId, true))
  }
  store.table(online.realmId, true).put(copy)
  if (existing === undefined) store.tell('created', copy)
  return copy
}

/** Begins a session anew: nothing but its id and its user stays. */
export function restart(
  store: Sessions,
  session: StoredSession,
  begun: CheckedSession,
  realm: Realm,
  now: number,
): void {
  const { id: _, families: __, clients, ...fresh } = draft(session.realmId, session.id, begun, realm, now)
  const before = [...session.clients.keys()]
  const ended = before.filter((clientId) => liveClient(session, clientId, now))
  for (const clientId of before) dropClient(session, clientId, now)
  Object.assign(session, fresh)
  for (const [clientId, client] of clients) session.clients.set(clientId, client)
  store.keep(session)
  for (const clientId of ended) store.tellClient(session, clientId, 'restarted')
}
