import { createStore } from '@authstate/express-session'
import type { AuthState } from 'authstate'
import express, { type Express, type Request } from 'express'
import session from 'express-session'
import { devicesPage, keyOf, loginPage } from './page.js'
import { isRight } from './passwords.js'

declare module 'express-session' {
  interface SessionData {
    /** Who signed in. */
    userId: string
    /** What the browser says it is. */
    device: string
  }
}

/** The application, over the state of a deployment. */
export function createApp(state: AuthState, secret: string): Express {
  const app = express()
  const store = createStore(session, state, { userId: ({ userId }) => userId as string | undefined })
  app.use(session({ secret, resave: false, saveUninitialized: false, store, cookie: { sameSite: 'lax' } }))
  app.use(express.urlencoded({ extended: false }))

  app.get('/', async (request, response) => {
    const { userId } = request.session
    if (userId === undefined) response.send(loginPage('failed' in request.query))
    else response.send(devicesPage(userId, await store.sessionsOf(userId), request.sessionID))
  })

  app.post('/login', async (request, response) => {
    const { name = '', password = '' } = request.body ?? {}
    if (!isRight(String(name), String(password))) return response.redirect(303, '/?failed')
    await regenerate(request) // another id, so that who knew the one of before knows nothing
    request.session.userId = String(name)
    request.session.device = request.get('user-agent') ?? 'unknown'
    return response.redirect(303, '/')
  })

  app.post('/logout', (request, response, next) => {
    request.session.destroy((error: unknown) => (error ? next(error) : response.redirect(303, '/')))
  })

  app.post('/devices/:key/end', async (request, response) => {
    const { userId } = request.session
    // Of the sessions of this user only: a key of somebody else's ends nothing.
    const own = userId === undefined ? [] : await store.sessionsOf(userId)
    const found = own.find(({ id }) => keyOf(id) === request.params.key)
    if (found !== undefined) await store.end(found.id)
    response.redirect(303, '/')
  })

  app.post('/others', async (request, response) => {
    await store.endOthers(request)
    response.redirect(303, '/')
  })

  return app
}

const regenerate = ({ session }: Request): Promise<void> =>
  new Promise((resolve, reject) => {
    session.regenerate((error: unknown) => (error ? reject(error) : resolve()))
  })
