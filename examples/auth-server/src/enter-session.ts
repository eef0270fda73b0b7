import type { UserSession } from 'authstate'
import type { Context } from 'hono'
import { newBrowserSecret, readBrowserSession } from './browser-session.js'
import type { User } from './config.js'
import type { LoginTab } from './login-tab.js'
import type { Services } from './services.js'

// A browser has one session, in which all applications are that its user signed in to: a password that is typed in another tab
// joins it. Another user gets a session of their own, and whoever was here before is signed out.

/** A login whose password was right. */
export interface Authenticated {
  readonly login: LoginTab
  readonly user: User
  /** When the form arrived, by the clock of the deployment. */
  readonly authenticatedAt: number
}

const KIND = 'session-of-login'
/** Forms that are sent at once meet within this time; later the cookie says whose session it is. */
const AT_ONCE_MS = 60_000

/** Puts the client into the session of this browser, or into a new one. `undefined`: the user was signed out everywhere meanwhile. */
export async function enterSession(
  services: Services,
  c: Context,
  authenticated: Authenticated,
): Promise<UserSession | undefined> {
  const { state, realmId } = services
  const { login, user } = authenticated
  const previous = await readBrowserSession(services, c)
  if (previous?.session.userId === user.id) {
    const joined = await join(services, c, authenticated, previous.session.id, previous.note)
    if (joined) return joined
  }
  const { actionTokens } = state
  const other = await actionTokens.get(realmId, KIND, login.rootId)
  const joined = await joinOther(services, c, authenticated, other?.data)
  if (joined) return joined

  const browser = newBrowserSecret(authenticated.authenticatedAt)
  const session = await create(services, c, authenticated, browser.notes)
  if (!session) return undefined
  // Of two forms that made a session each, both go on with the one that is noted first.
  const noted = await actionTokens.putIfAbsent(realmId, KIND, login.rootId, {
    lifespanMs: AT_ONCE_MS,
    data: { sessionId: session.id, userId: user.id },
  })
  if (!noted) {
    const first = await actionTokens.get(realmId, KIND, login.rootId)
    const joinedFirst = await joinOther(services, c, authenticated, first?.data)
    if (joinedFirst) {
      await state.userSessions.remove(realmId, session.id)
      return joinedFirst
    }
  }
  browser.keep(c, session.id)
  if (previous) await state.userSessions.remove(realmId, previous.session.id)
  return session
}

/** Joins the session that another form of this browser has just made, if it is of the same user. */
async function joinOther(
  services: Services,
  c: Context,
  authenticated: Authenticated,
  noted: unknown,
): Promise<UserSession | undefined> {
  const { sessionId, userId } = (noted ?? {}) as { sessionId?: string; userId?: string }
  if (sessionId === undefined || userId !== authenticated.user.id) return undefined
  return join(services, c, authenticated, sessionId)
}

/** The password was typed anew, so the browser gets a new secret. `undefined`: that session has ended. */
async function join(
  { state, realmId }: Services,
  c: Context,
  { login, authenticatedAt }: Authenticated,
  sessionId: string,
  oldNote?: string,
): Promise<UserSession | undefined> {
  const { clientId, redirectUri } = login.request
  const browser = newBrowserSecret(authenticatedAt)
  const notes = { ...browser.notes, ...(oldNote !== undefined && { [oldNote]: null }) }
  if (!(await state.userSessions.update(realmId, sessionId, { notes }))) return undefined
  const joined = await state.userSessions.putClientSession(realmId, sessionId, { clientId, redirectUri })
  if (joined.outcome !== 'done') return undefined
  browser.keep(c, sessionId)
  return joined.session
}

async function create(
  services: Services,
  c: Context,
  { login, user, authenticatedAt }: Authenticated,
  notes: Readonly<Record<string, string>>,
): Promise<UserSession | undefined> {
  const { clientId, redirectUri } = login.request
  const ipAddress = services.ipAddress(c)
  const created = await services.state.userSessions.create(services.realmId, {
    userId: user.id,
    loginUsername: user.username,
    authMethod: 'pwd',
    authenticatedAt,
    ...(ipAddress !== undefined && { ipAddress }),
    notes,
    client: { clientId, redirectUri },
  })
  return created.outcome === 'refused' ? undefined : created.session
}
