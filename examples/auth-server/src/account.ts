import type { UserSessionProvider } from 'authstate'
import type { Context, Handler } from 'hono'
import { readBrowserSession } from './browser-session.js'
import { readForm } from './form.js'
import { showProblem } from './pages.js'
import { sameSecret } from './secrets.js'
import type { Services } from './services.js'
import { showSessions } from './signed-in-pages.js'

/** "My sessions": where this user is signed in, page by page, and what happened lately. */
export function showAccount(services: Services): Handler {
  const { directory, activity } = services
  return async (c) => {
    const browser = await readBrowserSession(services, c)
    if (!browser) return showSignedOut(c)
    const { userId } = browser.session
    const { items, cursor } = await readPage(services, userId, c.req.query('cursor'))
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
    return showSessions(c, {
      userName: user?.name ?? browser.session.loginUsername,
      rows,
      cursor,
      activity: activity.ofUser(userId),
      csrf: browser.csrf,
    })
  }
}

/** Sessions from the cursor on; a cursor that is none of ours begins at the beginning. */
async function readPage(
  { state, realmId, sessionsPerPage: limit }: Services,
  userId: string,
  cursor: string | undefined,
): ReturnType<UserSessionProvider['listByUser']> {
  try {
    return await state.userSessions.listByUser(realmId, userId, { limit, cursor })
  } catch (error) {
    if (cursor === undefined || !(error instanceof TypeError)) throw error
    return state.userSessions.listByUser(realmId, userId, { limit })
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
