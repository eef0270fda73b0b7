// Servers of oidc-provider with an application's pages of sessions, one for each way of keeping models in WAYS: `lease`, `off` and
// `plain`. Says `ready` and their ports.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAuthState } from 'authstate'
import { Redis } from 'ioredis'
import * as oidc from 'oidc-provider'
import { createAdapter } from '../../src/index.js'
import { plainRedisAdapter } from './plain-redis.js'
import type { ProviderClass } from './provider.js'

const Provider = oidc.default as unknown as ProviderClass
const { SERVER_REDIS_URL: url, PREFIX = 'oidc', WAYS = 'lease' } = process.env

const client = url === undefined ? undefined : new Redis(url, { autoResendUnfulfilledCommands: false })
const state = await createAuthState({
  ...(client && { provider: 'redis', redis: { client, prefix: PREFIX } }),
  spi: { 'action-token': { readGraceMs: '1m' } },
})
const ttl = {
  AccessToken: 600,
  AuthorizationCode: 60,
  Grant: 3_600,
  Interaction: 600,
  RefreshToken: 3_600,
  Session: 3_600,
}
const shop = {
  client_id: 'shop',
  client_secret: 'secret',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'client_secret_post',
}

/** Serves one way on a port of its own. @returns the port */
async function serve(way: string): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const adapter = createAdapter(state, {
    realmId: way,
    ttl,
    redemption: way === 'lease' ? 'lease' : 'off',
    clients: (clientId) => (clientId === 'shop' ? shop : undefined),
  })
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    ...(way === 'plain' && client
      ? { adapter: plainRedisAdapter(client, `${PREFIX}:plain`), clients: [shop] }
      : { adapter }),
    ttl,
    pkce: { required: () => false },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    cookies: { keys: ['a key of these tests'] },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    features: { devInteractions: { enabled: false } },
  })

  /** The page on which somebody signs in, and then allows the client what it asks for. */
  const interact = async (request: IncomingMessage, response: ServerResponse, accountId: string) => {
    const { prompt, params, session } = await provider.interactionDetails(request, response)
    if (prompt.name === 'login')
      return provider.interactionFinished(request, response, { login: { accountId } })
    const grant = new provider.Grant({ accountId: session?.accountId, clientId: params.client_id })
    grant.addOIDCScope(params.scope)
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
  }

  /** A refresh token, as if its grant had been made before. */
  const mint = async (accountId: string) => {
    const grant = new provider.Grant({ accountId, clientId: 'shop' })
    grant.addOIDCScope('openid offline_access')
    const token = {
      client: await provider.Client.find('shop'),
      accountId,
      grantId: await grant.save(),
      scope: 'openid offline_access',
      gty: 'authorization_code',
    }
    return new provider.RefreshToken(token).save()
  }

  const pages: Readonly<Record<string, (account: string, id: string | undefined) => unknown>> = {
    '/my/sessions': (account) => adapter.sessionsOf(account),
    '/my/grants': (account) => adapter.grantsOf(account),
    '/my/end': (_, uid = '') => adapter.endSession(uid),
    '/my/end-others': (account, except) => adapter.endSessions(account, { except }),
    '/my/revoke': (_, grantId = '') => adapter.revokeGrant(grantId),
    '/mint': mint,
  }
  const handle = provider.callback()
  server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', `http://127.0.0.1:${port}`)
    const account = searchParams.get('account') ?? ''
    const page = pages[pathname]
    try {
      if (page !== undefined)
        response.end(JSON.stringify((await page(account, searchParams.get('id') ?? undefined)) ?? null))
      else if (pathname.startsWith('/interaction/')) await interact(request, response, account)
      else await handle(request, response)
    } catch (error) {
      response.statusCode = 500
      response.end(JSON.stringify({ error: (error as Error).message }))
    }
  })
  return port
}

console.log(`ready ${(await Promise.all(WAYS.split(',').map(serve))).join(' ')}`)
