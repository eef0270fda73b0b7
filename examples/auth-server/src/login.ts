import type { Context, Handler } from 'hono'
import { issueCode } from './code.js'
import { checkCredentials } from './credentials.js'
import { type Authenticated, enterSession } from './enter-session.js'
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
    // Before the password is checked: who is signed out everywhere from now on is so whenever the check ends.
    const authenticatedAt = services.clock.now()
    const user = await checkCredentials(services, username, password, services.ipAddress(c))
    return user ? signIn(services, c, { login, user, authenticatedAt }) : showForm(services, c, login, true)
  }
}

async function signIn(services: Services, c: Context, authenticated: Authenticated): Promise<Response> {
  const { login, authenticatedAt } = authenticated
  // Of two submissions of one form, on whatever nodes, one makes a session.
  const promoted = await services.state.authSessions.promote(services.realmId, login.rootId, login.tab.tabId)
  if (!promoted) return showEnded(c)
  const session = await enterSession(services, c, authenticated)
  // Refused when all sessions of this user were ended after the form was sent.
  if (!session) return showEnded(c)
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
