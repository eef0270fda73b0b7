// One process of the application: `GET /login`, `/callback`, `/` with the session and a token, and what the provider sends.
import { randomUUID } from 'node:crypto'
import { httpClientSpi, undiciHttpClient } from '@authstate/http-client'
import {
  createCookieTokenStore,
  createNodeRegistration,
  createReceivers,
  createSessionTokenStore,
  type RefreshedTokens,
  type TokenStoreState,
} from '@authstate/token-store'
import { createAuthState } from 'authstate'
import { withoutFences } from './no-fence.js'
import { serve } from './serve.js'

const {
  REDIS_URL: url = '',
  APP_PREFIX: prefix = 'two-node-app',
  APP_STORE: kind,
  APP_NO_FENCE: noFence,
} = process.env
const { APP_OP: issuer = '', APP_PUBLIC: publicUrl = '' } = process.env

const state = await createAuthState({
  provider: 'redis',
  redis: { url, prefix },
  providers: [undiciHttpClient()],
})
const kept: TokenStoreState = noFence === undefined ? state : withoutFences(state)

interface TokenAnswer {
  readonly access_token: string
  readonly expires_in: number
  readonly refresh_token: string
  readonly sub: string
  readonly sid: string
}

/** What openid-client does in an application of yours. */
async function askProvider(
  path: string,
  form: Record<string, string>,
  signal?: AbortSignal,
): Promise<TokenAnswer> {
  const answer = await fetch(issuer + path, {
    method: 'POST',
    body: new URLSearchParams(form),
    signal: signal ?? null,
  })
  const text = await answer.text()
  const body = text === '' ? {} : JSON.parse(text)
  if (!answer.ok) throw Object.assign(new Error('the provider refused'), { error: body.error })
  return body
}

const tokensOf = ({ access_token, expires_in, refresh_token }: TokenAnswer): RefreshedTokens => ({
  accessToken: access_token,
  accessExpiresAt: store.clock.now() + expires_in * 1_000,
  issuedAt: store.clock.now(),
  refreshToken: refresh_token,
})

const options = {
  issuer,
  refreshDeadlineMs: 700,
  refresh: async (
    { refreshToken = '' }: { readonly refreshToken?: string | undefined },
    { signal }: { signal: AbortSignal },
  ) =>
    tokensOf(
      await askProvider('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, signal),
    ),
  revoke: (token: string) => askProvider('/revoke', { token }),
  // This example speaks plain HTTP on loopback.
  cookie: { secure: false },
}
const keyring = { current: 'k', keys: { k: 'a secret of this example, take your own' } }
const store =
  kind === 'cookie'
    ? createCookieTokenStore({ ...options, keyring }, kept)
    : createSessionTokenStore(kept, { ...options, encryptAtRest: keyring })
const receivers = createReceivers(store, kept, {
  clientId: 'shop',
  keys: async () => (await fetch(`${issuer}/jwks`)).json(),
  algorithms: ['ES256'],
  keycloak: { logout: '/app/k_logout', pushNotBefore: '/app/k_push_not_before' },
  onError: () => {},
})

/** Logins that are under way, by `state`: in a cookie, so that any process can finish them. */
const loginCookie = (value: string) => `login=${value}; Path=/; HttpOnly; SameSite=Lax`

function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append('set-cookie', cookie)
  return response
}

async function login(query: URLSearchParams): Promise<Response> {
  const id = randomUUID()
  const target = new URL('/authorize', issuer)
  for (const name of ['login_hint', 'sid'])
    if (query.has(name)) target.searchParams.set(name, query.get(name) ?? '')
  target.searchParams.set('redirect_uri', `${publicUrl}/callback`)
  target.searchParams.set('state', id)
  const headers = {
    location: target.href,
    'set-cookie': loginCookie(`${id}.${store.clock.now()}.${query.get('roles') ?? 0}`),
  }
  return new Response(null, { status: 302, headers })
}

async function callback(request: Request): Promise<Response> {
  const query = new URL(request.url).searchParams
  const [id, startedAt, roles] =
    /login=([\w.-]+)/.exec(request.headers.get('cookie') ?? '')?.[1]?.split('.') ?? []
  if (id === undefined || id !== query.get('state')) return new Response('begin again', { status: 400 })
  const answer = await askProvider('/token', {
    grant_type: 'authorization_code',
    code: query.get('code') ?? '',
  })
  const { session: replaces } = await store.read(request.headers.get('cookie'))
  const names = Array.from({ length: Number(roles) }, (_, n) => `realm-role-of-the-company-${n}`)
  const created = await store.create(
    {
      subject: answer.sub,
      sid: answer.sid,
      startedAt: Number(startedAt),
      tokens: tokensOf(answer),
      data: { roles: names.join(' ') },
    },
    { replaces },
  )
  if (created.outcome !== 'created')
    return new Response(created.outcome, { status: created.outcome === 'ended' ? 401 : 413 })
  return withCookies(new Response(null, { status: 302, headers: { location: '/' } }), created.cookies)
}

async function page(request: Request): Promise<Response> {
  const { session, absent, clear } = await store.read(request.headers.get('cookie'))
  if (session === undefined) return withCookies(Response.json({ absent }, { status: 401 }), clear)
  const force = new URL(request.url).searchParams.has('force')
  const token = await store.accessToken(session, { force })
  if (token.outcome === 'ended') return withCookies(Response.json(token, { status: 401 }), token.clear)
  if (token.outcome === 'unavailable') return Response.json(token, { status: 503 })
  if (token.outcome === 'refused') return withCookies(Response.json(token, { status: 401 }), token.cookies)
  const { id, subject } = token.session
  return withCookies(Response.json({ node: process.pid, id, subject, token: token.token }), token.cookies)
}

async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url)
  if (pathname === '/backchannel') return receivers.backChannelLogout(request)
  if (pathname.startsWith('/app/k_')) return receivers.keycloakAdmin(request)
  if (pathname === '/login') return login(searchParams)
  if (pathname === '/callback') return callback(request)
  if (pathname === '/') return page(request)
  return new Response(null, { status: 404 })
}

const { port, server } = await serve(Number(process.env['APP_PORT'] ?? 0), answer)
const registration = createNodeRegistration({
  httpClient: state.get(httpClientSpi),
  registerUrl: `${issuer}/register-node`,
  host: `127.0.0.1:${port}`,
  authenticate: () => ({ form: { client_id: 'shop' } }),
  periodMs: 400,
  egress: ['127.0.0.1'],
})
await registration.first
process.send?.({ port })
process.once('SIGTERM', async () => {
  await registration.close()
  server.closeAllConnections()
  server.close()
  await store.close()
  await state.close()
  process.exit()
})
process.once('disconnect', () => process.exit())
