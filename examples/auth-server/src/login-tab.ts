import type { AuthSessionTab } from 'authstate'
import type { Context } from 'hono'
import type { AuthorizationRequest } from './authorization-request.js'
import { isName } from './form.js'
import { showProblem } from './pages.js'
import { randomSecret } from './secrets.js'
import type { Services } from './services.js'

// A login under way: what the client asked for is kept in a tab of the browser's root authentication session, whose
// signed id is the cookie AUTH_SESSION_ID. Several tabs of one browser can log in side by side.

/** Remembers the request in a new tab and sends the browser to the login page. */
export async function startLogin(
  services: Services,
  c: Context,
  request: AuthorizationRequest,
): Promise<Response> {
  const { state, realmId } = services
  const waitMs = services.beginnings.add(services.ipAddress(c))
  if (waitMs > 0) {
    c.header('retry-after', String(Math.ceil(waitMs / 1000)))
    return showProblem(c, 'Too many sign-ins were begun from here. Please try again later.', 429)
  }
  const { clientId, redirectUri, scope, codeChallenge, state: clientState, nonce } = request
  const cookie = state.stickySessions.readCookie(c.req.header('cookie'), { realmId })
  const root = await state.authSessions.getOrCreateRoot(realmId, cookie?.id)
  const added = await state.authSessions.addTab(realmId, root.id, {
    clientId,
    redirectUri,
    clientScopes: scope.split(' '),
    clientNotes: {
      codeChallenge,
      ...(clientState !== undefined && { state: clientState }),
      ...(nonce !== undefined && { nonce }),
    },
    authNotes: { csrf: randomSecret() },
  })
  // The root ended between the two steps: a browser that asks again gets a new one.
  if (!added) return c.redirect(pathOf(c), 303)
  c.header('set-cookie', state.stickySessions.cookie(root.id, { realmId }), { append: true })
  const query = new URLSearchParams({ client_id: clientId, tab_id: added.tab.tabId })
  return c.redirect(`/login?${query}`, 303)
}

/** What was asked for, without the name under which this node was reached. */
function pathOf(c: Context): string {
  const { pathname, search } = new URL(c.req.url)
  return pathname + search
}

export interface LoginTab {
  readonly rootId: string
  readonly tab: AuthSessionTab
  /** A form must bring it back: it shows that the form came from this tab. */
  readonly csrf: string
  readonly request: AuthorizationRequest
}

/** The tab, if it belongs to the browser that asks. */
export async function findLoginTab(
  { state, realmId }: Services,
  c: Context,
  clientId: string,
  tabId: string,
): Promise<LoginTab | undefined> {
  const cookie = state.stickySessions.readCookie(c.req.header('cookie'), { realmId })
  if (!cookie || !isName(clientId) || !isName(tabId)) return undefined
  const tab = await state.authSessions.getTab(realmId, cookie.id, clientId, tabId)
  if (!tab) return undefined
  // The node it belonged to has left: the load balancer is told of the one that has it now.
  if (cookie.route !== state.stickySessions.route(cookie.id)) {
    c.header('set-cookie', state.stickySessions.cookie(cookie.id, { realmId }), { append: true })
  }
  return { rootId: cookie.id, tab, csrf: tab.authNotes['csrf'] ?? '', request: requestOf(tab) }
}

function requestOf({
  clientId,
  redirectUri = '',
  clientScopes,
  clientNotes,
}: AuthSessionTab): AuthorizationRequest {
  return {
    clientId,
    redirectUri,
    scope: clientScopes.join(' '),
    codeChallenge: clientNotes['codeChallenge'] ?? '',
    state: clientNotes['state'],
    nonce: clientNotes['nonce'],
  }
}

/** Ends the login that succeeded; the browser forgets its cookie when there was no other. */
export async function finishLogin({ state, realmId }: Services, c: Context, login: LoginTab): Promise<void> {
  const { rootRemoved } = await state.authSessions.finishTab(realmId, login.rootId, login.tab.tabId)
  if (rootRemoved) c.header('set-cookie', state.stickySessions.clearCookie(), { append: true })
}
