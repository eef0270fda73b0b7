import type { Session, SessionState } from 'authstate/web-session/fetch'
import { createSessions } from 'authstate/web-session/fetch'
import { Hono } from 'hono'
import { csrf } from 'hono/csrf'
import { showShop } from './page.js'
import { priceOf } from './prices.js'

/** What the shop keeps for a browser. */
export interface ShopData {
  userId: string
  cart: { item: string; price: number }[]
  language: string
}

/** The shop, over the state of a deployment. */
export function createShop(state: SessionState, secret: string) {
  const sessions = createSessions<ShopData>(state, { secret })
  const app = new Hono<{ Variables: { session: Session<ShopData> } }>()

  app.use(csrf())
  app.use(async (c, next) => {
    const session = await sessions.load(c.req.raw)
    c.set('session', session)
    await next()
    await sessions.commit(session, c.res.headers)
  })

  app.get('/', async (c) => {
    const { data } = c.var.session
    const own = data.userId === undefined ? [] : await sessions.sessionsOf(data.userId)
    return c.html(showShop(data, own.length))
  })

  app.post('/login', async (c) => {
    const { name } = await c.req.parseBody() // your check of the password
    sessions.regenerate(c.var.session)
    c.var.session.data.userId = String(name)
    return c.redirect('/', 303)
  })

  app.post('/logout', async (c) => {
    await sessions.end(c.var.session)
    return c.redirect('/', 303)
  })

  app.post('/others', async (c) => {
    await sessions.endOthers(c.var.session)
    return c.redirect('/', 303)
  })

  app.post('/cart', async (c) => {
    const { item } = await c.req.parseBody()
    const { data } = c.var.session
    data.cart = [...(data.cart ?? []), { item: String(item), price: await priceOf(String(item)) }]
    return c.redirect('/', 303)
  })

  app.post('/language', async (c) => {
    const { language } = await c.req.parseBody()
    c.var.session.data.language = String(language)
    return c.redirect('/', 303)
  })

  return app
}
