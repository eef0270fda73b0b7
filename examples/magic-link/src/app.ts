import type { AuthState } from 'authstate'
import { confirmLink } from 'authstate/action-token'
import { createSessions, type Session } from 'authstate/web-session/fetch'
import { Hono } from 'hono'
import { csrf } from 'hono/csrf'
import { secureHeaders } from 'hono/secure-headers'
import { type Mail, mailLink } from './mail.js'
import { showConfirmation, showHome, showRefusal, showSent } from './pages.js'
import { REALM, SIGN_IN } from './realm.js'

/** What is kept for a browser. */
export interface BrowserData {
  userId: string
}

/** What the application is made of. */
export interface Surroundings {
  readonly state: AuthState
  /** For cookies: the same on every node. */
  readonly secret: string
  /** Where links lead to. */
  readonly origin: string
  readonly send: (mail: Mail) => Promise<void>
}

/** Signing in by a link in a mail. */
export function createApp({ state, secret, origin, send }: Surroundings) {
  const sessions = createSessions<BrowserData>(state, { secret, realmId: REALM })
  const app = new Hono<{ Variables: { session: Session<BrowserData> } }>()

  // A page whose address holds a token must not tell it to the next one.
  app.use(secureHeaders({ referrerPolicy: 'no-referrer' }))
  app.use(csrf())
  app.use(async (c, next) => {
    c.set('session', await sessions.load(c.req.raw))
    await next()
    await sessions.commit(c.var.session, c.res.headers)
  })

  app.get('/', (c) => c.html(showHome(c.var.session.data.userId)))

  app.post('/link', async (c) => {
    const { email } = await c.req.parseBody()
    await mailLink(state, String(email), origin, send)
    return c.html(showSent())
  })

  app.on(['GET', 'POST'], '/link/:token', async (c) => {
    const { attempt } = c.req.method === 'POST' ? await c.req.parseBody() : {}
    const link = await confirmLink(state.actionTokens, REALM, {
      method: c.req.method,
      token: c.req.param('token'),
      actionId: SIGN_IN,
      // Who presses the button twice is let in twice; who has the link from elsewhere has another attempt.
      ...(typeof attempt === 'string' && attempt !== '' && { attempt }),
    })
    if (link.step === 'refused') return c.html(showRefusal(link.reason), 410)
    if (link.step === 'confirm') return c.html(showConfirmation(link.token.userId))
    sessions.regenerate(c.var.session)
    c.var.session.data.userId = link.token.userId
    return c.redirect('/', 303)
  })

  app.post('/sign-out', async (c) => {
    await sessions.end(c.var.session)
    return c.redirect('/', 303)
  })

  return app
}
