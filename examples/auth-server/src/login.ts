import type { Context, Handler } from 'hono'
import { newBrowserSecret, readBrowserSession } from './browser-session.js'
import { issueCode } from './code.js'
import type { User } from './config.js'
import { checkCredentials } from './credentials.js'
import { readForm } from './form.js'
import { findLoginTab, finishLogin, type LoginTab } from './login-tab.js'
import { showLoginForm, showProblem } from './pages.js'
import { sameSecret } from './secrets.js'
import type { Services } from './services.js'

/** The login page of a tab. */
export function showLogin(services: Services): Handler {
  return async (c) => {
    const { client_id: clientId = '', tab_id: tabId = '' } = c.req.query()
    const login = await findLoginTab(services, c, clientId, tabId)
    return login ? showForm(services, c, login, false) : showEnded(c)
  }
}

/** Takes the password: makes the user session and sends the user back to the client, or shows the page again. */
export function submitLogin(services: Services): Handler {
  return async (c) => {
    const form = await readForm(c)
    const login = await findLoginTab(services, c, form['client_id'] ?? '', form['tab_id'] ?? '')
    if (!login || !sameSecret(form['csrf'], login.csrf)) return showEnded(c)
    const { username = '', password = '' } = form
    const user = await checkCredentials(services, username, password, services.ipAddress(c))
    return user ? signIn(services, c, login, user) : showForm(services, c, login, true)
  }
}

async function signIn(services: Services, c: Context, login: LoginTab, user: User): Promise<Response> {
  const { state, realmId, clock } = services
  // Of two submissions of one form, on whatever nodes, one makes a session.
  const promoted = await state.authSessions.promote(realmId, login.rootId, login.tab.tabId)
  if (!promoted) return showEnded(c)

  const previous = await readBrowserSession(services, c)
  const authenticatedAt = clock.now()
  const browser = newBrowserSecret(authenticatedAt)
  const ipAddress = services.ipAddress(c)
  const { clientId, redirectUri } = login.request
  const created = await state.userSessions.tryCreate(realmId, {
    userId: user.id,
    loginUsername: user.username,
    authMethod: 'pwd',
    ...(ipAddress !== undefined && { ipAddress }),
    notes: browser.notes,
    client: { clientId, redirectUri },
  })
  // Refused when all sessions of this user were ended after this login had begun.
  if (created.outcome === 'refused') return showEnded(c)
  const { session } = created
  browser.keep(c, session.id)
  // A browser has one session, and a new login a new id: whoever was here before is signed out.
  if (previous) await state.userSessions.remove(realmId, previous.session.id)
  await finishLogin(services, c, login)
  return c.redirect(await issueCode(services, session, authenticatedAt, login.request), 303)
}

async function showForm(services: Services, c: Context, login: LoginTab, failed: boolean): Promise<Response> {
  const { clientId, redirectUri } = login.request
  const client = await services.directory.client(clientId)
  return showLoginForm(c, {
    clientId,
    clientName: client?.name ?? clientId,
    tabId: login.tab.tabId,
    csrf: login.csrf,
    redirectUri,
    failed,
  })
}

const showEnded = (c: Context): Promise<Response> =>
  showProblem(c, 'This sign-in has ended. Please go back to the application and start again.')
