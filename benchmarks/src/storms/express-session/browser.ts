import type { HttpBindings } from '@hono/node-server'
import { RedisStore } from 'connect-redis'
import session, { type Session, type SessionData } from 'express-session'
import type { Context, MiddlewareHandler } from 'hono'
import type { RedisClientType } from 'redis'
import type { AuthorizationRequest } from '../../../../examples/auth-server/src/authorization-request.js'

declare module 'express-session' {
  interface SessionData {
    /** The login under way. */
    request: AuthorizationRequest
    csrf: string
    /** Who signed in here. */
    signedIn: { readonly sessionId: string; readonly userId: string; readonly authenticatedAt: number }
  }
}

export type BrowserSession = Session & Partial<SessionData>

/** express-session on connect-redis, with the options that its page asks for. */
export function browserSessions(client: RedisClientType, lifeMs: number): MiddlewareHandler {
  const load = session({
    store: new RedisStore({ client, ttl: lifeMs / 1_000 }),
    secret: 'a secret of the benchmarks and of nobody else',
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax' },
  })
  return async (c, next) => {
    const { incoming, outgoing } = bindings(c)
    // It only looks at what Express inherits from Node: headers, and the end of the response, when it saves.
    const [request, response] = [incoming, outgoing] as unknown as Parameters<typeof load>
    await new Promise<void>((resolve, reject) => {
      load(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error)))
    })
    await next()
  }
}

export const browserSession = (c: Context): BrowserSession =>
  (bindings(c).incoming as unknown as { session: BrowserSession }).session

/** A new id for the session of this browser, as everybody should do at a login. */
export async function renewBrowserSession(c: Context): Promise<BrowserSession> {
  const before = browserSession(c)
  await new Promise<void>((resolve, reject) => {
    before.regenerate((error?: unknown) => (error ? reject(error) : resolve()))
  })
  return browserSession(c)
}

const bindings = (c: Context): HttpBindings => c.env as HttpBindings
