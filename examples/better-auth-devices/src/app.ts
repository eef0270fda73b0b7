import { APIError } from 'better-auth/api'
import { type Context, Hono } from 'hono'
import { csrf } from 'hono/csrf'
import { type AuthSurroundings, createAuth } from './auth.js'
import { showDevices, showSignIn } from './page.js'

/** Sign in, and see and end your sessions. */
export function createApp(surroundings: AuthSurroundings) {
  const { api, handler } = createAuth(surroundings)
  const app = new Hono()
  app.use(csrf())
  app.on(['GET', 'POST'], '/api/auth/*', (c) => handler(c.req.raw))

  app.get('/', async (c) => {
    const { headers } = c.req.raw
    const own = await api.getSession({ headers })
    if (own === null) return c.html(showSignIn())
    return c.html(showDevices(own, await api.listSessions({ headers })))
  })

  app.post('/sign-up', async (c) => {
    const { email, password } = await formOf(c)
    return signedIn(
      c,
      await api.signUpEmail({
        body: { name: email, email, password },
        headers: c.req.raw.headers,
        asResponse: true,
      }),
    )
  })

  app.post('/sign-in', async (c) => {
    const body = await formOf(c)
    return signedIn(c, await api.signInEmail({ body, headers: c.req.raw.headers, asResponse: true }))
  })

  app.post('/sign-out', async (c) => {
    return signedIn(c, await api.signOut({ headers: c.req.raw.headers, asResponse: true }))
  })

  app.post('/devices/end', async (c) => {
    const { headers } = c.req.raw
    const { id } = await c.req.parseBody()
    const device = (await api.listSessions({ headers })).find((session) => session.id === id)
    if (device !== undefined) await api.revokeSession({ headers, body: { token: device.token } })
    return c.redirect('/', 303)
  })

  app.post('/devices/end-others', async (c) => {
    await api.revokeOtherSessions({ headers: c.req.raw.headers })
    return c.redirect('/', 303)
  })

  app.onError((error, c) => {
    // Somebody ended this session meanwhile.
    if (error instanceof APIError && error.statusCode === 401) return c.redirect('/', 303)
    console.error(error)
    return c.html(showSignIn('Something went wrong. Try again later.'), 500)
  })
  return app
}

async function formOf(c: Context): Promise<{ email: string; password: string }> {
  const { email, password } = await c.req.parseBody()
  return { email: String(email), password: String(password) }
}

/** Home, with the cookies that better-auth sets; or why not. */
async function signedIn(c: Context, answer: Response): Promise<Response> {
  if (!answer.ok) {
    const { message } = (await answer.json()) as { readonly message?: string }
    return c.html(showSignIn(message), answer.status as 401)
  }
  for (const cookie of answer.headers.getSetCookie()) c.header('set-cookie', cookie, { append: true })
  return c.redirect('/', 303)
}
