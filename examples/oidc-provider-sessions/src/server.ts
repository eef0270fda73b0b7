import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AdapterFactory, createAdapter } from '@authstate/oidc-provider'
import { createAuthState } from 'authstate'
import { buttons, showAccount } from './account.js'
import { consentPage, errorPage, loginPage, welcomePage } from './pages.js'
import { type OpenIdProvider, Provider } from './provider.js'

const DAY_S = 86_400
const ttl = {
  AccessToken: 3_600,
  AuthorizationCode: 60,
  Grant: 14 * DAY_S,
  Interaction: 3_600,
  RefreshToken: 14 * DAY_S,
  Session: 14 * DAY_S,
}

/** The provider, and the one application that signs in with it. */
interface World {
  readonly origin: string
  readonly adapter: AdapterFactory
  readonly provider: OpenIdProvider
}

/** Starts on a port of this host. `stop` ends it. */
export async function start(port: number, redisUrl: string | undefined) {
  const state = await createAuthState({
    ...(redisUrl !== undefined && { provider: 'redis', redis: { url: redisUrl } }),
    spi: { 'action-token': { readGraceMs: '1m' } },
  })
  const server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  // `Provider`: packages of a workspace are linked, and do not find what their application has installed.
  const adapter = createAdapter(state, { ttl, Provider })
  serve(server, { origin, adapter, provider: providerOf(origin, adapter) })
  const stop = async () => {
    server.closeAllConnections()
    server.close()
    await state.close()
  }
  return { origin, stop }
}

function providerOf(origin: string, adapter: AdapterFactory): OpenIdProvider {
  return new Provider(origin, {
    adapter,
    ttl,
    clients: [
      {
        client_id: 'shop',
        client_secret: 'a secret of this example',
        redirect_uris: [`${origin}/callback`],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    cookies: { keys: ['a key of this example, take your own'] },
    pkce: { required: () => false },
    findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_: unknown, { uid }: { readonly uid: string }) => `/interaction/${uid}` },
    features: { devInteractions: { enabled: false } },
  })
}

function serve(server: Server, world: World): void {
  const openId = world.provider.callback()
  server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', world.origin)
    try {
      if (url.pathname === '/') await showHome(world, request, response)
      else if (url.pathname === '/callback') await receiveCode(world, url, response)
      else if (url.pathname.startsWith('/interaction/')) await interact(world, request, response)
      else if (buttons[url.pathname] !== undefined && request.method === 'POST')
        await press(world, url.pathname, request, response)
      else await openId(request, response)
    } catch (error) {
      show(response, errorPage((error as Error).message), 400)
    }
  })
}

/** Welcomes a visitor, and shows a user where they are signed in. */
async function showHome(
  { provider, adapter, origin }: World,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const { uid, accountId } = await provider.Session.get(provider.createContext(request, response))
  if (accountId !== undefined) return show(response, await showAccount(adapter, { uid, accountId }))
  const parameters = {
    client_id: 'shop',
    response_type: 'code',
    redirect_uri: `${origin}/callback`,
    scope: 'openid',
  }
  show(response, welcomePage(`/auth?${new URLSearchParams(parameters)}`))
}

/** The cookie of a session is `SameSite=Lax`: a form of another site does not send it. */
async function press(
  { provider, adapter }: World,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const { uid, accountId } = await provider.Session.get(provider.createContext(request, response))
  const id = (await formOf(request)).get('id') ?? ''
  if (accountId !== undefined) await buttons[path]?.(adapter, { uid, accountId }, id)
  goTo(response, '/')
}

/** What the shop does when a user comes back: it redeems the code. */
async function receiveCode({ origin }: World, url: URL, response: ServerResponse) {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: 'shop',
    client_secret: 'a secret of this example',
    code: url.searchParams.get('code') ?? '',
    redirect_uri: `${origin}/callback`,
  })
  const answer = await fetch(`${origin}/token`, { method: 'POST', body })
  if (!answer.ok) return show(response, errorPage(`The shop got no tokens: ${await answer.text()}`), 400)
  goTo(response, '/')
}

/** Asks who somebody is, and then whether the shop may know. */
async function interact({ provider }: World, request: IncomingMessage, response: ServerResponse) {
  const { prompt, params, session } = await provider.interactionDetails(request, response)
  const isLogin = prompt.name === 'login'
  if (request.method !== 'POST')
    return show(response, isLogin ? loginPage() : consentPage(params.client_id, params.scope))
  if (isLogin) {
    // A real server checks a password here.
    const accountId = (await formOf(request)).get('name') ?? ''
    return provider.interactionFinished(request, response, { login: { accountId } })
  }
  const grant = new provider.Grant({ accountId: session?.accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  let body = ''
  for await (const chunk of request) body += chunk
  return new URLSearchParams(body)
}

function show(response: ServerResponse, page: string, status = 200): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(page)
}

function goTo(response: ServerResponse, location: string): void {
  response.writeHead(303, { location }).end()
}
