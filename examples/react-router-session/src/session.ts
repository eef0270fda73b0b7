import { createAuthState } from 'authstate'
import { createSessions, type Session } from 'authstate/web-session/fetch'
import { createContext, type MiddlewareFunction } from 'react-router'

/** What the shop keeps for a browser. */
export interface ShopData {
  userId: string
  cart: { item: string; price: number }[]
  language: string
}

const { REDIS_URL: url, SESSION_SECRET = 'a secret of this example, take your own' } = process.env
const state = await createAuthState(url === undefined ? {} : { provider: 'redis', redis: { url } })

export const sessions = createSessions<ShopData>(state, { secret: SESSION_SECRET })

/** The session of a request, for loaders and actions. */
export const sessionContext = createContext<Session<ShopData>>()

/** Of the root route, so that it runs around all loaders and actions: `export const middleware = [keepSession]`. */
export const keepSession: MiddlewareFunction = async ({ request, context }, next) => {
  const session = await sessions.load(request)
  context.set(sessionContext, session)
  const response = (await next()) as Response
  await sessions.commit(session, response.headers)
  return response
}
