import { createFastifyStore } from '@authstate/express-session/fastify'
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import type { AuthState } from 'authstate'
import fastify, { type FastifyInstance } from 'fastify'
import { devicesPage, keyOf, loginPage } from './page.js'
import { isRight } from './passwords.js'

declare module 'fastify' {
  interface Session {
    /** Who signed in. */
    userId?: string
    /** What the browser says it is. */
    device?: string
  }
}

/** The application, over the state of a deployment. */
export async function createApp(state: AuthState, secret: string): Promise<FastifyInstance> {
  const app = fastify()
  const store = createFastifyStore(state, { userId: ({ userId }) => userId as string | undefined })
  await app.register(cookie)
  await app.register(session, {
    secret,
    store: store as never,
    saveUninitialized: false,
    cookie: { secure: 'auto', sameSite: 'lax' },
  })
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  )

  app.get('/', async (request, reply) => {
    const { userId, sessionId } = request.session
    reply.type('text/html; charset=utf-8')
    if (userId === undefined) return loginPage('failed' in (request.query as object))
    return devicesPage(userId, await store.sessionsOf(userId), sessionId)
  })

  app.post('/login', async (request, reply) => {
    const { name = '', password = '' } = request.body as { name?: string; password?: string }
    if (!isRight(name, password)) return reply.redirect('/?failed', 303)
    await request.session.regenerate() // another id, so that who knew the one of before knows nothing
    request.session.userId = name
    request.session.device = request.headers['user-agent'] ?? 'unknown'
    return reply.redirect('/', 303)
  })

  app.post('/logout', async (request, reply) => {
    await request.session.destroy()
    return reply.redirect('/', 303)
  })

  app.post<{ Params: { key: string } }>('/devices/:key/end', async (request, reply) => {
    const { userId } = request.session
    // Of the sessions of this user only: a key of somebody else's ends nothing.
    const own = userId === undefined ? [] : await store.sessionsOf(userId)
    const found = own.find(({ id }) => keyOf(id) === request.params.key)
    if (found !== undefined) await store.end(found.id)
    return reply.redirect('/', 303)
  })

  app.post('/others', async (request, reply) => {
    await store.endOthers(request)
    return reply.redirect('/', 303)
  })

  return app
}
