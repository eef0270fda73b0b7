// Applications with express-openid-connect and with keycloak-connect, as they are published, of the provider at OP. Says `ready` and their origins.
import { once } from 'node:events'
import express from 'express'
import oidc from 'express-openid-connect'
import session from 'express-session'
import Keycloak from 'keycloak-connect'

const { OP } = process.env

async function listen() {
  const app = express()
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { app, origin: `http://127.0.0.1:${server.address().port}` }
}

const shop = await listen()
shop.app.use(
  oidc.auth({
    issuerBaseURL: OP,
    baseURL: shop.origin,
    clientID: 'shop',
    clientSecret: 'a secret of these tests',
    secret: 'a secret of these tests that is long enough',
    idTokenSigningAlg: 'RS256',
    authRequired: false,
    authorizationParams: { response_type: 'code', scope: 'openid' },
    session: { store: new session.MemoryStore(), cookie: { secure: false, sameSite: 'Lax' } },
    backchannelLogout: true,
  }),
)
shop.app.get('/who', (request, response) => response.send(request.oidc.user?.sub ?? 'nobody'))

const wiki = await listen()
const store = new session.MemoryStore()
const keycloak = new Keycloak(
  { store },
  { realm: 'acme', 'auth-server-url': OP, resource: 'wiki', 'ssl-required': 'none', 'public-client': true },
)
wiki.app.use(session({ secret: 'a secret of these tests', resave: false, saveUninitialized: false, store }))
// What the callback of a login leaves in the session.
wiki.app.get('/enter', (request, response) => {
  request.session['keycloak-token'] = '{}'
  response.send(request.sessionID)
})
wiki.app.get('/who', (request, response) =>
  response.json({
    isSignedIn: 'keycloak-token' in request.session,
    notBefore: keycloak.grantManager.notBefore,
  }),
)
wiki.app.use(keycloak.middleware({ admin: '/app' }))

console.log(`ready ${shop.origin} ${wiki.origin}`)
