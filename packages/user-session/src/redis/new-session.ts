import { isExpired, jsonMap, type Realm } from '@authstate/spi'
import type { CheckedClient, CheckedSession } from '../checks.js'
import type { ClientSession, UserSession } from '../contract.js'
import { clientExpiresAt, clientLives, userExpiresAt, userLives, userMaxAt } from '../expiry.js'
import type { Writable } from './writable.js'

/** A session that begins now. */
export interface NewSession {
  /** As its caller gets it. */
  readonly session: UserSession
  /** The end of its first client session; 0 without one. */
  readonly clientExpiresAt: number
}

/** By the time-outs of now, with remember-me only where the realm has it. The notes are those that were checked. */
export function newSession(
  realmId: string,
  id: string,
  checked: CheckedSession,
  realm: Realm,
  now: number,
): NewSession {
  const rememberMe = checked.rememberMe && realm.rememberMe
  const uses = { startedAt: now, lastRefreshAt: now, rememberMe }
  const lives = userLives(realm, false)
  const clients = jsonMap<ClientSession>()
  let clientEnds = 0
  if (checked.client !== undefined) {
    const own = clientLives(realm, checked.client.clientId, false)
    clientEnds = clientExpiresAt(own, uses, uses, userMaxAt(lives, uses))
    if (!isExpired(clientEnds, now))
      clients.set(checked.client.clientId, newClient(checked.client, now, clientEnds))
  }
  const session: Writable<UserSession> = {
    id,
    realmId,
    userId: checked.userId,
    offline: false,
    loginUsername: checked.loginUsername,
    rememberMe,
    startedAt: now,
    lastRefreshAt: now,
    expiresAt: userExpiresAt(lives, uses),
    notes: checked.notes,
    clients,
  }
  if (checked.ipAddress !== undefined) session.ipAddress = checked.ipAddress
  if (checked.authMethod !== undefined) session.authMethod = checked.authMethod
  if (checked.brokerSessionId !== undefined) session.brokerSessionId = checked.brokerSessionId
  if (checked.brokerUserId !== undefined) session.brokerUserId = checked.brokerUserId
  return { session, clientExpiresAt: clientEnds }
}

function newClient(checked: CheckedClient, now: number, expiresAt: number): ClientSession {
  const client: Writable<ClientSession> = {
    clientId: checked.clientId,
    startedAt: now,
    lastRefreshAt: now,
    expiresAt,
    notes: checked.notes,
  }
  if (checked.protocol !== undefined) client.protocol = checked.protocol
  if (checked.redirectUri !== undefined) client.redirectUri = checked.redirectUri
  if (checked.action !== undefined) client.action = checked.action
  return client
}
