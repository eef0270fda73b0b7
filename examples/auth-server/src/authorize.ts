import type { Context, Handler } from 'hono'
import {
  type AuthorizationRequest,
  answerUri,
  isRedirectUri,
  type Refusal,
  readAuthorizationRequest,
} from './authorization-request.js'
import { type BrowserSession, readBrowserSession } from './browser-session.js'
import { issueCode } from './code.js'
import { startLogin } from './login-tab.js'
import { showProblem } from './pages.js'
import type { Services } from './services.js'

/** Where a client sends its users: straight back with a code when they are signed in, else to the login page. */
export function authorize(services: Services): Handler {
  return async (c) => {
    if (Object.values(c.req.queries()).some((values) => values.length > 1)) {
      return showProblem(c, 'The application sent a parameter twice.')
    }
    const query = c.req.query()
    const client = await services.directory.client(query['client_id'] ?? '')
    const redirectUri = query['redirect_uri']
    // Until both are known to belong together nobody is sent anywhere.
    if (!client) return showProblem(c, 'This application is not known here.')
    if (!isRedirectUri(client, redirectUri)) {
      return showProblem(c, 'The application gave an address that is not registered for it.')
    }
    const back = (refusal: Refusal): Response =>
      c.redirect(
        answerUri(redirectUri, services.issuer, {
          error: refusal.error,
          error_description: refusal.description,
          state: query['state'],
        }),
        303,
      )
    const request = readAuthorizationRequest(client.clientId, redirectUri, query)
    if ('error' in request) return back(request)

    const browser = await readBrowserSession(services, c)
    if (browser && mayReuse(services, browser, request)) return signOn(services, c, browser, request)
    if (request.prompt === 'none')
      return back({ error: 'login_required', description: 'the user is not signed in' })
    return startLogin(services, c, request)
  }
}

function mayReuse(
  { clock }: Services,
  { authenticatedAt }: BrowserSession,
  request: AuthorizationRequest,
): boolean {
  if (request.prompt === 'login') return false
  return request.maxAgeMs === undefined || clock.now() - authenticatedAt <= request.maxAgeMs
}

/** Single sign-on: the client joins the session that is there. */
async function signOn(
  services: Services,
  c: Context,
  { session, authenticatedAt }: BrowserSession,
  request: AuthorizationRequest,
): Promise<Response> {
  const { state, realmId } = services
  const { clientId, redirectUri } = request
  const joined = await state.userSessions.putClientSession(realmId, session.id, { clientId, redirectUri })
  // It ended between our look and our step, or the user may have no more sessions here.
  if (joined.outcome !== 'done') return startLogin(services, c, request)
  return c.redirect(await issueCode(services, session, authenticatedAt, request), 303)
}
