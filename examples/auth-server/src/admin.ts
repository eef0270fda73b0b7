import type { Context, Handler } from 'hono'
import { type BrowserSession, readBrowserSession } from './browser-session.js'
import { readForm } from './form.js'
import { showProblem } from './pages.js'
import { sameSecret } from './secrets.js'
import type { Services } from './services.js'
import { showRegions } from './signed-in-pages.js'

/** What this node keeps of the clients and users, for an administrator who is signed in. */
export function showAdmin(services: Services): Handler {
  const { realmCache } = services.state
  return async (c) => {
    const browser = await readAdmin(services, c)
    if (!browser) return showForbidden(c)
    const rows = realmCache.regions().map((name) => ({ name, ...realmCache.region(name).stats() }))
    return showRegions(c, rows, browser.csrf)
  }
}

/** Empties the region that the form names, or all of them, on every node. */
export function clearCache(services: Services): Handler {
  const { realmCache } = services.state
  return async (c) => {
    const browser = await readAdmin(services, c)
    const { csrf, region } = await readForm(c)
    if (!browser || !sameSecret(csrf, browser.csrf)) return showForbidden(c)
    if (region === undefined) await realmCache.clearAll()
    else if (realmCache.regions().includes(region)) await realmCache.region(region).clear()
    else return showProblem(c, 'There is no such region.')
    return c.redirect('/admin', 303)
  }
}

async function readAdmin(services: Services, c: Context): Promise<BrowserSession | undefined> {
  const browser = await readBrowserSession(services, c)
  const user = browser && (await services.directory.user(browser.session.userId))
  return user?.isAdmin === true ? browser : undefined
}

const showForbidden = (c: Context): Promise<Response> =>
  showProblem(c, 'This page is for administrators who are signed in.', 403)
