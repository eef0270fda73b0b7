// The example server as people build one without authstate: its pages, passwords, signatures and checks are the
// same code; the browser's session is express-session on connect-redis, everything else is JSON under SET and GET.
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { secureHeaders } from 'hono/secure-headers'
import { createClient, type RedisClientType } from 'redis'
import type { World } from '../../../../examples/auth-server/src/demo/world.js'
import { OAuthError, oauthErrorResponse } from '../../../../examples/auth-server/src/oauth-error.js'
import { showProblem } from '../../../../examples/auth-server/src/pages.js'
import { readSigningKey } from '../../../../examples/auth-server/src/signing-key.js'
import { browserSessions } from './browser.js'
import { authorize, showLogin, submitLogin } from './login.js'
import { createPeerServices, SESSION_LIFE_MS } from './services.js'
import { token } from './token.js'

export interface PeerOptions extends Pick<World, 'users' | 'signingKey'> {
  readonly url: string
}

/** Answers the origin of the server. */
export async function listenOnExpressSession({ users, signingKey, url }: PeerOptions): Promise<string> {
  const redis = createClient({ url }) as RedisClientType
  await redis.connect()
  const services = await createPeerServices(users, await readSigningKey(signingKey), redis)
  const app = new Hono()
  app.use(secureHeaders({ xFrameOptions: 'DENY', referrerPolicy: 'no-referrer' }))
  app.use(bodyLimit({ maxSize: 16_384 }))
  app.use('/token', cors())
  for (const path of ['/authorize', '/login']) app.use(path, browserSessions(redis, SESSION_LIFE_MS))
  app.get('/authorize', authorize(services))
  app.get('/login', showLogin(services))
  app.post('/login', submitLogin(services))
  app.post('/token', token(services))
  app.onError((error, c) => {
    if (error instanceof OAuthError) return oauthErrorResponse(c, error)
    console.error(error)
    return showProblem(c, 'Something went wrong here.', 500)
  })
  return new Promise((resolve) => {
    serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) =>
      resolve(`http://127.0.0.1:${port}`),
    )
  })
}
