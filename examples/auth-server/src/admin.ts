import type { Context, Handler } from 'hono'
import { type BrowserSession, readBrowserSession } from './browser-session.js'
import { readForm } from './form.js'
import { showProblem } from './pages.js'
import { sameSecret } from './secrets.js'
import type { Services } from './services.js'
import { showRegions, showTold } from './signed-in-pages.js'

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

/** Ends every session, and tells applications. Who signs in from now on stays. */
export function signEverybodyOut(services: Services): Handler {
  const { state, realmId, clock, telling } = services
  return onForm(services, async (c) => {
    const at = clock.now()
    await state.userSessions.removeByRealm(realmId)
    return showTold(c, (await telling?.everybodyEnded(at)) ?? { what: 'Sign everybody out', lines: [] })
  })
}

/** Tells applications to refuse what was issued until now. */
export function refuseOlderTokens(services: Services): Handler {
  const { clock, telling } = services
  return onForm(services, async (c) => {
    if (telling === undefined) return showProblem(c, 'There is no application that could be told.')
    return showTold(c, await telling.notBefore(clock.now()))
  })
}

/** A form of the page of administrators. */
function onForm(services: Services, act: (c: Context) => Promise<Response>): Handler {
  return async (c) => {
    const browser = await readAdmin(services, c)
    const { csrf } = await readForm(c)
    if (!browser || !sameSecret(csrf, browser.csrf)) return showForbidden(c)
    return act(c)
  }
}

async function readAdmin(services: Services, c: Context): Promise<BrowserSession | undefined> {
  const browser = await readBrowserSession(services, c)
  const user = browser && (await services.directory.user(browser.session.userId))
  return user?.isAdmin === true ? browser : undefined
}

const showForbidden = (c: Context): Promise<Response> =>
  showProblem(c, 'This page is for administrators who are signed in.', 403)
