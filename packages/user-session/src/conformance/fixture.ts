import assert from 'node:assert/strict'
import type { RealmSettings } from '@authstate/spi'
import type {
  ClientSession,
  CreateOutcome,
  LimitedOutcome,
  NewUserSession,
  Page,
  PageRequest,
  UserSession,
  UserSessionProvider,
} from '../contract.js'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Time-outs of a realm that sets none. */
export const IDLE_MS = 30 * MINUTE
export const MAX_MS = 10 * HOUR
export const OFFLINE_IDLE_MS = 30 * DAY

/** Callers of a race, and how often it is run. */
export const RACERS = 10
export const ROUNDS = 50

/** `maxNotesBytes` of the suite. */
export const MAX_NOTES_BYTES = 4_096

/** A session of this user that a case does not care about. */
export function login(userId = 'user1', more: Partial<NewUserSession> = {}): NewUserSession {
  return { userId, loginUsername: userId, ...more }
}

const s3Client = (clientId: string) =>
  ({
    clientId,
    protocol: 'openid-connect',
    redirectUri: 'http://redirect',
    notes: { state: 'state' },
  }) as const

/** Three sessions of two users at two clients, all with remember-me, in realm `test`. */
export async function createS3(
  provider: UserSessionProvider,
  realmId = 'test',
): Promise<readonly [UserSession, UserSession, UserSession]> {
  const base = { authMethod: 'form', rememberMe: true }
  const s0 = await provider
    .create(realmId, {
      ...login('user1'),
      ...base,
      ipAddress: '127.0.0.1',
      client: s3Client('test-app'),
    })
    .then(createdSession)
  const s1 = await provider
    .create(realmId, {
      ...login('user1'),
      ...base,
      ipAddress: '127.0.0.2',
      client: s3Client('test-app'),
    })
    .then(createdSession)
  const s2 = await provider
    .create(realmId, {
      ...login('user2'),
      ...base,
      ipAddress: '127.0.0.3',
      client: s3Client('test-app'),
    })
    .then(createdSession)
  const both = await provider.putClientSession(realmId, s0.id, s3Client('third-party')).then(sessionOf)
  assert.ok(both)
  return [both, s1, s2]
}

/** The client ids of a session, sorted. */
export function clientIds(session: UserSession | undefined): string[] {
  return [...(session?.clients.keys() ?? [])].sort()
}

/** A session as plain data, to compare. */
export function plain(
  session: UserSession | undefined,
): (Omit<UserSession, 'clients'> & { clients: Record<string, ClientSession> }) | undefined {
  return session && { ...session, clients: Object.fromEntries(session.clients) }
}

/** Every item of a listing, page by page; no page may be empty but the only one, or longer than asked. */
export async function everyPage(
  list: (page: PageRequest) => Promise<Page<UserSession>>,
  limit: number,
  offline = false,
): Promise<UserSession[]> {
  const items: UserSession[] = []
  let cursor: string | undefined
  do {
    const page = await list({ limit, cursor, offline })
    assert.ok(page.items.length <= limit, 'a page is longer than asked')
    assert.ok(page.items.length > 0 || cursor === undefined, 'a page after the first is empty')
    if (page.cursor !== undefined)
      assert.equal(page.items.length, limit, 'a page that is not the last is short')
    items.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  return items
}

export const ids = (sessions: Iterable<UserSession>): string[] => Array.from(sessions, ({ id }) => id).sort()

/** Settings in seconds, as Keycloak's tests give them. */
export function realmOf({
  idle,
  max,
  clientIdle,
  clientMax,
}: {
  readonly idle?: number
  readonly max?: number
  readonly clientIdle?: number
  readonly clientMax?: number
}): RealmSettings {
  const ms = (seconds: number | undefined) => (seconds ?? 0) * SECOND
  return {
    ssoSessionIdleTimeoutMs: ms(idle),
    ssoSessionMaxLifespanMs: ms(max),
    offlineSessionIdleTimeoutMs: ms(idle),
    offlineSessionMaxLifespanMs: ms(max),
    offlineSessionMaxLifespanEnabled: max !== undefined,
    clientSessionIdleTimeoutMs: ms(clientIdle),
    clientSessionMaxLifespanMs: ms(clientMax),
    clientOfflineSessionIdleTimeoutMs: ms(clientIdle),
    clientOfflineSessionMaxLifespanMs: ms(clientMax),
  }
}

/** Names that would collide, or break a key, if they were put together carelessly. */
export const awkward = [
  'a:b',
  'a',
  'b:c',
  '{a}',
  '%3a',
  ':',
  'a b',
  'a\nb',
  'a\u0000b',
  '🔑',
  '__proto__',
  'constructor',
  'x'.repeat(512),
]

/** The session of an outcome that must not be refused. */
export function createdSession(created: CreateOutcome): UserSession {
  assert.ok(created.outcome === 'created', `refused: ${JSON.stringify(created)}`)
  return created.session
}

/** The session of an outcome that must not be refused; `undefined`: there is none. */
export function sessionOf(outcome: LimitedOutcome): UserSession | undefined {
  assert.ok(outcome.outcome !== 'refused', `refused: ${JSON.stringify(outcome)}`)
  return outcome.outcome === 'done' ? outcome.session : undefined
}
