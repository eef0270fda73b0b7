import type { Context, Handler } from 'hono'
import { html } from 'hono/html'
import { forgetBrowserSession, readBrowserSession } from './browser-session.js'
import { readForm } from './form.js'
import { askToSignOut, showPage } from './pages.js'
import { sameSecret } from './secrets.js'
import type { Services } from './services.js'

type Parameters = Readonly<Record<string, string>>

/**
 * Ends the session of the browser that asks, for every client in it.
 *
 * A link from anywhere could lead here: without an ID token of this very session the user is asked first.
 *
 * @see OpenID Connect RP-Initiated Logout 1.0
 */
export function logout(services: Services): Handler {
  return async (c) => {
    const parameters = c.req.method === 'POST' ? await readForm(c) : c.req.query()
    const hint = await services.tokens.readIdHint(parameters['id_token_hint'] ?? '')
    const browser = await readBrowserSession(services, c)
    if (browser) {
      const wanted =
        hint?.sessionId === browser.session.id ||
        (c.req.method === 'POST' && sameSecret(parameters['csrf'], browser.csrf))
      if (!wanted) return askToSignOut(c, browser.csrf, kept(parameters))
      await services.state.userSessions.remove(services.realmId, browser.session.id)
    }
    forgetBrowserSession(c)
    return leave(services, c, parameters, hint?.clientId ?? parameters['client_id'])
  }
}

/** Back to the client, if the address is one that the client registered; else to a page of ours. */
async function leave(
  { directory }: Services,
  c: Context,
  parameters: Parameters,
  clientId: string | undefined,
): Promise<Response> {
  const client = await directory.client(clientId ?? '')
  const { post_logout_redirect_uri: uri, state } = parameters
  if (uri === undefined || !client?.postLogoutRedirectUris?.includes(uri)) {
    return showPage(c, { title: 'Signed out', body: html`<p>You are signed out.</p>` })
  }
  const target = new URL(uri)
  if (state !== undefined) target.searchParams.set('state', state)
  return c.redirect(target.href, 303)
}

/** What the form that asks has to bring along. */
function kept(parameters: Parameters): Parameters {
  const names = ['client_id', 'id_token_hint', 'post_logout_redirect_uri', 'state']
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => names.includes(name)))
}
