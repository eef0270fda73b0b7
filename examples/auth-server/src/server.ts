import { ProviderError } from 'authstate'
import { healthHandlers } from 'authstate/health'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { HTTPException } from 'hono/http-exception'
import { secureHeaders } from 'hono/secure-headers'
import { endOthers, showAccount } from './account.js'
import { clearCache, refuseOlderTokens, showAdmin, signEverybodyOut } from './admin.js'
import { authorize } from './authorize.js'
import type { AuthServerOptions } from './config.js'
import { discovery, jwks } from './discovery.js'
import { showLogin, submitLogin } from './login.js'
import { logout } from './logout.js'
import { OAuthError, oauthErrorResponse } from './oauth-error.js'
import { showProblem } from './pages.js'
import { nodeEndpoints } from './register-node.js'
import { createServices } from './services.js'
import { token } from './token.js'
import { userinfo } from './userinfo.js'

const MAX_BODY_BYTES = 16_384

/**
 * Builds one node of the server. What nodes share is in `state`: any node can take the next request of a login.
 *
 * The way of a login: `authorize` remembers what the client wants in a tab, `login` checks the password and makes
 * the user session, `code` sends the user back, `token` trades the code in, `userinfo` asks whether the session lives.
 */
export async function createAuthServer(options: AuthServerOptions): Promise<Hono> {
  const services = await createServices(options)
  const app = new Hono()
  app.use(secureHeaders({ xFrameOptions: 'DENY', referrerPolicy: 'no-referrer' }))
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES }))
  const { nodeName } = options
  if (nodeName !== undefined) {
    app.use(async (c, next) => {
      await next()
      c.header('x-node', nodeName)
    })
  }
  // What applications in a browser fetch by themselves. None of these reads a cookie.
  for (const path of ['/.well-known/*', '/jwks', '/token', '/userinfo']) app.use(path, cors())

  const { health = healthHandlers(options.state) } = options
  app.get('/livez', (c) => health.liveness(c.req.raw))
  app.get('/readyz', (c) => health.readiness(c.req.raw))
  app.get('/.well-known/openid-configuration', discovery(services))
  app.get('/jwks', jwks(services))
  app.get('/authorize', authorize(services))
  app.get('/login', showLogin(services))
  app.post('/login', submitLogin(services))
  app.post('/token', token(services))
  app.on(['GET', 'POST'], '/userinfo', userinfo(services))
  app.on(['GET', 'POST'], '/logout', logout(services))
  app.get('/account', showAccount(services))
  app.post('/account/end-others', endOthers(services))
  app.get('/admin', showAdmin(services))
  app.post('/admin/clear', clearCache(services))
  app.post('/admin/sign-everybody-out', signEverybodyOut(services))
  app.post('/admin/refuse-older-tokens', refuseOlderTokens(services))
  if (services.telling !== undefined) {
    const { register, unregister } = nodeEndpoints(services, services.telling)
    app.all('/clients-managements/register-node', register)
    app.all('/clients-managements/unregister-node', unregister)
  }

  app.notFound((c) => showProblem(c, 'There is no such page.', 404))
  app.onError((error, c) => {
    if (error instanceof OAuthError) return oauthErrorResponse(c, error)
    if (error instanceof HTTPException) return error.getResponse()
    if (error instanceof ProviderError && error.code === 'ERR_STORE_UNAVAILABLE') {
      c.header('retry-after', '1')
      return showProblem(c, 'The server cannot answer right now. Please try again.', 503)
    }
    console.error(error)
    return showProblem(c, 'Something went wrong here.', 500)
  })
  return app
}
