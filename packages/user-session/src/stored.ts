import { isExpired, jsonMap, type Realm } from '@authstate/spi'
import type { CheckedClient, CheckedClientPatch, CheckedSession } from './checks.js'
import type { ClientSession, UserSession, UserSessionState } from './contract.js'
import { clientExpiresAt, clientLives, type Lives, userExpiresAt, userLives, userMaxAt } from './expiry.js'
import { mergeNotes } from './notes.js'
import { type Family, MAX_FAMILIES } from './rotation.js'
import type { Writable } from './writable.js'

/** A client session as it is worked on. */
export interface StoredClient extends Omit<CheckedClient, 'clientId' | 'notes'> {
  notes: Readonly<Record<string, string>>
  startedAt: number
  lastRefreshAt: number
  expiresAt: number
}

/** A user session as it is worked on. Values inside are replaced, never changed. */
export interface StoredSession {
  readonly realmId: string
  readonly id: string
  readonly offline: boolean
  core: Omit<CheckedSession, 'client' | 'transient' | 'notes' | 'login'>
  /** When its login began, as `Moments` says it. */
  beginning: string
  startedAt: number
  lastRefreshAt: number
  expiresAt: number
  state: UserSessionState | undefined
  notes: Readonly<Record<string, string>>
  readonly clients: Map<string, StoredClient>
  /** By client id: what is known of its refresh tokens, also after the client session ended. */
  readonly families: Map<string, Families>
}

/** The refresh tokens of one client. */
export interface Families {
  readonly known: Map<string, Family>
  /** Tokens of a family not known that were issued at or before this instant are refused. */
  forgottenAt: number
}

/** A session that begins now, with its first client session. Remember-me only where the realm has it. */
export function draft(
  realmId: string,
  id: string,
  checked: CheckedSession,
  realm: Realm,
  now: number,
): StoredSession {
  const session: StoredSession = {
    realmId,
    id,
    offline: false,
    core: {
      userId: checked.userId,
      loginUsername: checked.loginUsername,
      ipAddress: checked.ipAddress,
      authMethod: checked.authMethod,
      rememberMe: checked.rememberMe && realm.rememberMe,
      brokerSessionId: checked.brokerSessionId,
      brokerUserId: checked.brokerUserId,
    },
    beginning: checked.login.beginning,
    startedAt: now,
    lastRefreshAt: now,
    expiresAt: 0,
    state: undefined,
    notes: checked.notes,
    clients: new Map(),
    families: new Map(),
  }
  const { client } = checked
  const lives = userLives(realm, false)
  settle(session, lives)
  if (client !== undefined) {
    const livesAtClient = clientLives(realm, client.clientId, false)
    settleClient(session, putClient(session, client, now), lives, livesAtClient)
  }
  return session
}

/** Computes the end of a session again. */
export function settle(session: StoredSession, lives: Lives): void {
  session.expiresAt = expiryOf(session, lives)
}

/** Computes the end of a client session again. */
export function settleClient(
  session: StoredSession,
  client: StoredClient,
  lives: Lives,
  livesAtClient: Lives,
): void {
  client.expiresAt = clientExpiryOf(session, client, lives, livesAtClient)
}

/** When a session ends, by the spans given. */
export function expiryOf(session: StoredSession, lives: Lives): number {
  return userExpiresAt(lives, usesOf(session))
}

function clientExpiryOf(
  session: StoredSession,
  client: StoredClient,
  lives: Lives,
  livesAtClient: Lives,
): number {
  const uses = usesOf(session)
  return clientExpiresAt(livesAtClient, client, uses, userMaxAt(lives, uses))
}

const usesOf = ({ startedAt, lastRefreshAt, core: { rememberMe } }: StoredSession) => ({
  startedAt,
  lastRefreshAt,
  rememberMe,
})

/** A living client session. */
export function liveClient(session: StoredSession, clientId: string, now: number): StoredClient | undefined {
  const client = session.clients.get(clientId)
  return client === undefined || isExpired(client.expiresAt, now) ? undefined : client
}

/**
 * A living client session as a write finds it. One that is over by the time-outs of now is settled so, as is its session.
 *
 * @param livesAtClient Lives of client sessions at that client.
 */
export function openClient(
  session: StoredSession,
  clientId: string,
  lives: Lives,
  livesAtClient: Lives,
  now: number,
): StoredClient | undefined {
  const client = liveClient(session, clientId, now)
  if (client === undefined) return undefined
  if (!isExpired(clientExpiryOf(session, client, lives, livesAtClient), now)) return client
  settle(session, lives)
  settleClient(session, client, lives, livesAtClient)
  return undefined
}

/** The record a caller gets: a copy, with the living client sessions or `only` this one. */
export function snapshot(session: StoredSession, now: number, only?: string): UserSession {
  const { core, state } = session
  const record: Writable<UserSession> = {
    id: session.id,
    realmId: session.realmId,
    userId: core.userId,
    offline: session.offline,
    loginUsername: core.loginUsername,
    rememberMe: core.rememberMe,
    startedAt: session.startedAt,
    lastRefreshAt: session.lastRefreshAt,
    expiresAt: session.expiresAt,
    notes: { ...session.notes },
    clients: clientsOf(session, now, only),
  }
  if (core.ipAddress !== undefined) record.ipAddress = core.ipAddress
  if (core.authMethod !== undefined) record.authMethod = core.authMethod
  if (core.brokerSessionId !== undefined) record.brokerSessionId = core.brokerSessionId
  if (core.brokerUserId !== undefined) record.brokerUserId = core.brokerUserId
  if (state !== undefined) record.state = state
  return record
}

function clientsOf(session: StoredSession, now: number, only?: string): ReadonlyMap<string, ClientSession> {
  const clients = jsonMap<ClientSession>()
  for (const [clientId, client] of session.clients) {
    if ((only !== undefined && clientId !== only) || isExpired(client.expiresAt, now)) continue
    const record: Writable<ClientSession> = {
      clientId,
      startedAt: client.startedAt,
      lastRefreshAt: client.lastRefreshAt,
      expiresAt: client.expiresAt,
      notes: { ...client.notes },
    }
    if (client.protocol !== undefined) record.protocol = client.protocol
    if (client.redirectUri !== undefined) record.redirectUri = client.redirectUri
    if (client.action !== undefined) record.action = client.action
    if (client.nodeHost !== undefined) record.nodeHost = client.nodeHost
    if (client.applicationSessionId !== undefined) record.applicationSessionId = client.applicationSessionId
    clients.set(clientId, record)
  }
  return clients
}

/** Puts a client session in place; what was known of the tokens of one that is over counts no more. */
export function putClient(session: StoredSession, checked: CheckedClient, now: number): StoredClient {
  const { clientId } = checked
  const living = liveClient(session, clientId, now)
  if (living === undefined) endFamilies(session, clientId, now)
  const client: StoredClient = {
    // By name: an object that is spread takes several times as long to make.
    protocol: checked.protocol,
    redirectUri: checked.redirectUri,
    action: checked.action,
    nodeHost: checked.nodeHost,
    applicationSessionId: checked.applicationSessionId,
    notes: checked.notes,
    startedAt: living?.startedAt ?? now,
    lastRefreshAt: Math.max(living?.lastRefreshAt ?? now, now),
    expiresAt: 0,
  }
  session.clients.set(clientId, client)
  return client
}

/** Merges changes into a client session. */
export function patchClient(client: StoredClient, patch: CheckedClientPatch, maxNotesBytes: number): void {
  const { clientId: _, notes, ...changes } = patch
  const merged = mergeNotes(client.notes, notes, maxNotesBytes)
  for (const [name, value] of Object.entries(changes)) {
    if (value !== undefined) Object.assign(client, { [name]: value ?? undefined })
  }
  client.notes = merged
}

/** Takes a client session away; no token of it is accepted again. */
export function dropClient(session: StoredSession, clientId: string, now: number): void {
  session.clients.delete(clientId)
  endFamilies(session, clientId, now)
}

/** The families of refresh tokens at one client of a session; made where there are none. */
export function familiesOf(session: StoredSession, clientId: string): Families {
  const families = session.families.get(clientId) ?? { known: new Map(), forgottenAt: -1 }
  session.families.set(clientId, families)
  return families
}

/** Remembers a family; when there are too many, the one rotated longest ago is forgotten. */
export function rememberFamily(families: Families, id: string, family: Family): void {
  if (!families.known.has(id) && families.known.size >= MAX_FAMILIES) {
    const [oldestId, oldest] = [...families.known].reduce((a, b) =>
      b[1].staleUntil < a[1].staleUntil || (b[1].staleUntil === a[1].staleUntil && b[0] < a[0]) ? b : a,
    )
    families.known.delete(oldestId)
    families.forgottenAt = Math.max(families.forgottenAt, oldest.staleUntil)
  }
  families.known.set(id, family)
}

function endFamilies(session: StoredSession, clientId: string, now: number): void {
  const families = session.families.get(clientId)
  if (families === undefined) return
  for (const [id, family] of families.known) {
    if (!family.ended)
      families.known.set(id, { ...family, staleUntil: Math.max(now, family.staleUntil), ended: true })
  }
}
