import type { Handler } from 'hono'
import {
  type AuthorizationRequest,
  answerUri,
  isRedirectUri,
  readAuthorizationRequest,
} from '../../../../examples/auth-server/src/authorization-request.js'
import type { CodeGrant } from '../../../../examples/auth-server/src/code.js'
import type { User } from '../../../../examples/auth-server/src/config.js'
import { readForm } from '../../../../examples/auth-server/src/form.js'
import { showLoginForm, showProblem } from '../../../../examples/auth-server/src/pages.js'
import { verifyPassword } from '../../../../examples/auth-server/src/passwords.js'
import { randomSecret, sameSecret } from '../../../../examples/auth-server/src/secrets.js'
import { browserSession, renewBrowserSession } from './browser.js'
import type { SessionRecord } from './records.js'
import { type PeerServices, SESSION_LIFE_MS } from './services.js'

const CODE_LIFE_MS = 60_000

/** Remembers in the browser's session what the client wants, and goes to the login page. */
export function authorize(services: PeerServices): Handler {
  return async (c) => {
    const query = c.req.query()
    const client = await services.directory.client(query['client_id'] ?? '')
    const redirectUri = query['redirect_uri']
    if (!client || !isRedirectUri(client, redirectUri))
      return showProblem(c, 'This application is not known.')
    const request = readAuthorizationRequest(client.clientId, redirectUri, query)
    if ('error' in request) {
      return c.redirect(answerUri(redirectUri, services.issuer, { error: request.error }), 303)
    }
    const session = browserSession(c)
    if (session.signedIn) return c.redirect(await issueCode(services, session.signedIn, request), 303)
    session.request = request
    session.csrf = randomSecret()
    return c.redirect('/login', 303)
  }
}

export function showLogin(services: PeerServices): Handler {
  return async (c) => {
    const { request, csrf = '' } = browserSession(c)
    if (!request) return showProblem(c, 'This sign-in has ended.')
    const { clientId, redirectUri } = request
    const client = await services.directory.client(clientId)
    const clientName = client?.name ?? clientId
    return showLoginForm(c, { clientId, clientName, tabId: '', csrf, redirectUri, failed: false })
  }
}

export function submitLogin(services: PeerServices): Handler {
  return async (c) => {
    const form = await readForm(c)
    const { request, csrf } = browserSession(c)
    if (!request || !sameSecret(form['csrf'], csrf)) return showProblem(c, 'This sign-in has ended.')
    const user = await checkCredentials(services, form['username'] ?? '', form['password'] ?? '')
    if (!user) return showProblem(c, 'That did not work.', 403)
    const authenticatedAt = Date.now()
    const sessionId = randomSecret()
    const { clientId, redirectUri } = request
    const record: SessionRecord = {
      userId: user.id,
      loginUsername: user.username,
      startedAt: authenticatedAt,
      lastRefreshAt: authenticatedAt,
      clients: { [clientId]: { redirectUri, lastRefreshAt: authenticatedAt } },
    }
    await services.records.put('session', sessionId, record, SESSION_LIFE_MS)
    const session = await renewBrowserSession(c)
    session.signedIn = { sessionId, userId: user.id, authenticatedAt }
    return c.redirect(await issueCode(services, session.signedIn, request), 303)
  }
}

/** Counts failures beside the check, with a limiter, as its page shows it for logins. */
async function checkCredentials(
  { directory, failures }: PeerServices,
  username: string,
  password: string,
): Promise<User | undefined> {
  const user = await directory.userNamed(username)
  const counted = user ? await failures.get(user.id) : null
  const locked = counted !== null && counted.remainingPoints <= 0
  const right = await verifyPassword(password, user?.passwordHash ?? directory.decoyHash)
  if (!user || locked) return undefined
  if (right && counted !== null) await failures.delete(user.id)
  if (!right) await failures.consume(user.id).catch(() => {}) // the last one is refused with a rejection
  return right ? user : undefined
}

async function issueCode(
  { records, issuer }: PeerServices,
  signedIn: { readonly sessionId: string; readonly userId: string; readonly authenticatedAt: number },
  { clientId, redirectUri, codeChallenge, scope, nonce, state }: AuthorizationRequest,
): Promise<string> {
  const code = randomSecret()
  const grant: CodeGrant = {
    ...signedIn,
    ...{ clientId, scope, redirectUri, codeChallenge, nonce },
    family: randomSecret(),
  }
  await records.put('code', code, grant, CODE_LIFE_MS)
  return answerUri(redirectUri, issuer, { code, state })
}
