// oidc-provider with one client, which takes logout tokens at BACKCHANNEL. Whoever comes signs in as `account` says. Says `ready` and its port,
// then `told` or `not told` for each logout that it sent.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as oidc from 'oidc-provider'
import type { ProviderClass } from '../../../adapters/oidc-provider/test/server/provider.js'

const Provider = oidc.default as unknown as ProviderClass
const { BACKCHANNEL } = process.env

const server = createServer()
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const provider = new Provider(origin, {
  clients: [
    {
      client_id: 'shop',
      client_secret: 'secret',
      redirect_uris: ['http://127.0.0.1/callback'],
      token_endpoint_auth_method: 'client_secret_post',
      backchannel_logout_uri: BACKCHANNEL,
      backchannel_logout_session_required: true,
    },
  ],
  pkce: { required: () => false },
  findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
  cookies: { keys: ['a key of these tests'] },
  interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
  features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
  // Without the guard that it hands over, which refuses loopback.
  fetch: (url: string, { dispatcher: _, ...init }: RequestInit & { dispatcher?: unknown }) =>
    fetch(url, init as RequestInit),
})
provider.on('backchannel.success', () => console.log('told'))
provider.on('backchannel.error', () => console.log('not told'))

const handle = provider.callback()
server.on('request', async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', origin)
  if (!pathname.startsWith('/interaction/')) return handle(request, response)
  const { prompt, params, session } = await provider.interactionDetails(request, response)
  if (prompt.name === 'login') {
    const login = { accountId: searchParams.get('account') ?? '' }
    return provider.interactionFinished(request, response, { login })
  }
  const grant = new provider.Grant({ accountId: session?.accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
})
console.log(`ready ${origin}`)
