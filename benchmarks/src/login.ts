// What is stored in every figure: a session in use at three clients, 1.8 KB of JSON, and the login it began with.
import type { CreateOutcome, CreateUserSession, NewClientSession, UserSession } from '@authstate/user-session'

export const REALM = 'demo'
export const CLIENT_IDS = ['web-portal', 'mobile-app', 'reporting'] as const

const uuid = (n: number) => `6f1c2b9e-4d3a-4c8b-9e7f-${n.toString(16).padStart(12, '0')}`

/** The session of a login that nothing refuses. */
export function createdSession(created: CreateOutcome): UserSession {
  if (created.outcome === 'refused') throw new Error(`a login was refused: ${created.reason}`)
  return created.session
}

export const userOf = (n: number): string => uuid(n)

const clientNotes = (n: number) => ({
  'oidc.scope': 'openid profile email',
  'oidc.nonce': `n-${uuid(n)}`,
  'oidc.state': `s-${uuid(n + 1)}`,
  iss: 'https://id.example.test/demo',
  code_challenge_method: 'S256',
})

const clientSession = (clientId: string, n: number, notes = clientNotes(n)): NewClientSession => ({
  clientId,
  protocol: 'openid-connect',
  redirectUri: `https://${clientId}.test/cb`,
  notes,
})

/** A login: the user session with its first client session, as `create` takes it. */
export const loginOf = (n: number): CreateUserSession => ({
  userId: userOf(n),
  loginUsername: `user-${n}@example.test`,
  ipAddress: '203.0.113.7',
  authMethod: 'openid-connect',
  notes: {
    AUTH_TIME: '1763768580',
    'auth.level': 'urn:mace:incommon:iap:silver',
    authenticators_completed: '{"5b1e1f4c":1763768580,"a0d2c3e4":1763768581}',
    KC_DEVICE_NOTE: 'eyJvcyI6IkxpbnV4Iiwib3NWZXJzaW9uIjoidW5rbm93biJ9',
    identity_provider: 'corporate-directory',
    locale: 'en',
  },
  client: clientSession(CLIENT_IDS[0], n),
})

/** Logins that are made beforehand, as a request would hand them over: what making them costs is nobody's figure. */
const prepared: readonly CreateUserSession[] = Array.from({ length: 1_000 }, (_, n) => loginOf(n))

/** A login that was made beforehand, of a user who has no session yet. */
export const preparedLogin = (turn: number): CreateUserSession => ({
  ...(prepared[turn % prepared.length] as CreateUserSession),
  userId: userOf(turn),
})

/** The other client sessions of a session in use. */
export const otherClientsOf = (n: number): NewClientSession[] =>
  CLIENT_IDS.slice(1).map((clientId) => clientSession(clientId, n))

/** A session as a store without client sessions of its own would keep it: one JSON text. */
export const jsonOf = ({ clients, ...session }: UserSession): string =>
  JSON.stringify({ ...session, clients: Object.fromEntries(clients) })

/** The same session for stores that are not ours, which have not made it: what goes into their JSON. */
export function plainSession(n: number, clientIds: readonly string[] = CLIENT_IDS): Record<string, unknown> {
  const { client: _, ...login } = loginOf(n)
  const times = {
    startedAt: 1_763_768_580_123,
    lastRefreshAt: 1_763_768_580_123,
    expiresAt: 1_763_770_380_123,
  }
  return {
    id: `Zb3kq0Yt7mXc1VfR9sLwP0${(n % 16).toString(16).padStart(2, '0')}`,
    realmId: REALM,
    offline: false,
    rememberMe: false,
    ...login,
    ...times,
    clients: Object.fromEntries(
      clientIds.map((clientId) => [clientId, { ...clientSession(clientId, n), ...times }]),
    ),
  }
}
