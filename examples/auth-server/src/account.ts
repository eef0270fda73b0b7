import type { Context, Handler } from 'hono'
import { readBrowserSession } from './browser-session.js'
import { readForm } from './form.js'
import { showProblem, showSessions } from './pages.js'
import { sameSecret } from './secrets.js'
import type { Services } from './services.js'

const MOST_SHOWN = 50

/** "My sessions": where this user is signed in. */
export function showAccount(services: Services): Handler {
  const { state, realmId, directory } = services
  return async (c) => {
    const browser = await readBrowserSession(services, c)
    if (!browser) return showSignedOut(c)
    const { userId } = browser.session
    const { items } = await state.userSessions.listByUser(realmId, userId, { limit: MOST_SHOWN })
    const names = new Map<string, string>()
    for (const clientId of items.flatMap(({ clients }) => [...clients.keys()])) {
      names.set(clientId, (await directory.client(clientId))?.name ?? clientId)
    }
    const rows = items.map(({ id, startedAt, lastRefreshAt, ipAddress, clients }) => ({
      current: id === browser.session.id,
      startedAt,
      lastRefreshAt,
      ipAddress,
      clients: [...clients.keys()].map((clientId) => names.get(clientId) ?? clientId),
    }))
    const user = await directory.user(userId)
    return showSessions(c, user?.name ?? browser.session.loginUsername, rows, browser.csrf)
  }
}

/** Ends every session of this user but the one of the browser that asks. */
export function endOthers(services: Services): Handler {
  return async (c) => {
    const browser = await readBrowserSession(services, c)
    const { csrf } = await readForm(c)
    if (!browser || !sameSecret(csrf, browser.csrf)) return showSignedOut(c)
    const { userId, id } = browser.session
    await services.state.userSessions.removeByUser(services.realmId, userId, { except: id })
    return c.redirect('/account', 303)
  }
}

const showSignedOut = (c: Context): Promise<Response> => showProblem(c, 'You are not signed in here.', 401)
