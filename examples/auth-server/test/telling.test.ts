// Nodes of an application register over HTTP, and are told over HTTP what ended: with the receivers that applications have.
import { randomUUID } from 'node:crypto'
import { type AddressInfo, createServer } from 'node:net'
import { applicationNodeSpi } from '@authstate/application-node'
import { RecordingLogger } from '@authstate/conformance'
import { httpClientSpi, undiciHttpClient } from '@authstate/http-client'
import {
  createNodeRegistration,
  createReceivers,
  createSessionTokenStore,
  type NodeRegistration,
} from '@authstate/token-store'
import { serve } from '@hono/node-server'
import { type AuthStateConfig, createAuthState, systemClock } from 'authstate'
import { decodeJwt } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import { describeWith, redis, redisUrl } from '../../../tools/testing/capabilities.js'
import type { Client } from '../src/config.js'
import { generateSigningKey } from '../src/signing-key.js'
import { ENDINGS, tellingProviders } from '../src/telling.js'
import { ISSUER, shop, TestServer } from './support.js'

type Fetch = (request: Request) => Response | Promise<Response>

/** Listens until the test ends. */
async function listen(fetch: Fetch, hostname = '127.0.0.1', port = 0): Promise<string> {
  const server = serve({ fetch, hostname, port })
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => void server.close())
  return `http://${hostname}:${(server.address() as AddressInfo).port}`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** One node of the shop: its own sessions in its own memory, as an application without a shared store has them. */
async function shopNode(server: TestServer, host: string, port: number) {
  const { clock } = server.state
  const state = await createAuthState({
    clock,
    logger: new RecordingLogger(),
    providers: [undiciHttpClient({ env: {} })],
  })
  onTestFinished(() => state.close())
  const store = createSessionTokenStore(state, {
    issuer: ISSUER,
    refresh: () => Promise.reject(new Error('no refresh is due')),
  })
  const heard: string[] = []
  let whenHeard = () => {}
  const receivers = createReceivers(store, state, {
    clientId: shop.clientId,
    keys: async () => (await server.node.request('/jwks')).json() as never,
    algorithms: ['ES256'],
    keycloak: { logout: '/app/k_logout', pushNotBefore: '/app/k_push_not_before' },
    onError: (error) => heard.push(`error ${String(error)}`),
  })
  await listen(
    async (request) => {
      const { pathname } = new URL(request.url)
      const isLogout = pathname === '/backchannel'
      const { status } = isLogout
        ? await receivers.backChannelLogout(request)
        : await receivers.keycloakAdmin(request)
      heard.push(`${pathname} ${status}`)
      whenHeard()
      return new Response(null, { status })
    },
    host,
    port,
  )
  return {
    heard,
    store,
    /** Resolves when so many messages came. */
    async hears(count: number): Promise<void> {
      while (heard.length < count) await new Promise<void>((resolve) => (whenHeard = resolve))
    },
    register: (origin: string, client: Client = shop): NodeRegistration =>
      createNodeRegistration({
        httpClient: state.get(httpClientSpi),
        registerUrl: `${origin}/clients-managements/register-node`,
        host,
        authenticate: () => ({
          headers: {
            authorization: `Basic ${btoa(`${client.clientId}:${encodeURIComponent(client.secret ?? '')}`)}`,
          },
        }),
        egress: ['127.0.0.0/8'],
        logger: new RecordingLogger(),
      }),
    /** A user is back with a code: the session of this node, as its browser has it. */
    async signIn(code: string): Promise<string> {
      const { id_token, access_token } = await server.redeem(code)
      const { sub = '', sid } = decodeJwt(id_token)
      const created = await store.create({
        subject: sub,
        sid: String(sid),
        startedAt: clock.now(),
        tokens: { accessToken: access_token, accessExpiresAt: clock.now() + 300_000, issuedAt: clock.now() },
      })
      if (created.outcome !== 'created') throw new Error(created.outcome)
      return created.cookies.map((cookie) => cookie.split(';')[0]).join('; ')
    },
    async who(cookie: string): Promise<string> {
      const { session, absent } = await store.read(cookie)
      return session?.subject ?? absent ?? ''
    },
  }
}

/** A server that tells, and two nodes of the shop at one port of two addresses. */
async function world(config: AuthStateConfig = {}) {
  const port = await freePort()
  const told: Client = {
    ...shop,
    backchannelLogoutUri: `http://127.0.0.1:${port}/backchannel`,
    managementUrl: `http://127.0.0.1:${port}/app`,
    nodes: { allowedHosts: ['127.0.0.0/28'], egress: ['127.0.0.0/28'], allowInsecure: true },
  }
  const signingKey = await generateSigningKey()
  const clients = [told]
  const store = config.provider === 'redis' ? 'redis' : 'memory'
  const providers = await tellingProviders({ issuer: ISSUER, clients, signingKey }, store)
  const server = await TestServer.start(
    { ...config, providers, logger: new RecordingLogger() },
    { clients, signingKey },
  )
  onTestFinished(() => server.state.close())
  const origin = await listen((request) => server.node.fetch(request))
  const nodes = [
    await shopNode(server, '127.0.0.1', port),
    await shopNode(server, '127.0.0.2', port),
  ] as const
  const registrations = nodes.map((node) => node.register(origin))
  onTestFinished(async () => void (await Promise.all(registrations.map((each) => each.close()))))
  for (const { first } of registrations) expect(await first).toEqual({ state: 'registered', failures: 0 })
  return { server, origin, nodes, registrations, port }
}

const csrfOf = (page: string): string => /name="csrf" value="([^"]*)"/.exec(page)?.[1] ?? ''

test('a logout reaches each node of the application as a logout token, and ends its session there', async () => {
  const { server, nodes } = await world()
  const [a, b] = nodes
  const browser = server.browser()
  const cookie = await a.signIn(await browser.signIn())
  expect(await a.who(cookie)).toBe('id of ada')
  server.clock.advance(1_000)
  await browser.post('/logout', { csrf: csrfOf(await (await browser.get('/account')).text()) })
  await Promise.all([a.hears(1), b.hears(1)])
  expect([a.heard, b.heard]).toEqual([['/backchannel 200'], ['/backchannel 200']])
  expect(await a.who(cookie)).toBe('ended')
})

test('"end the others" ends those sessions at the application, and leaves the one that asked', async () => {
  const { server, nodes } = await world()
  const [a] = nodes
  const [here, there] = [server.browser(), server.browser()]
  const mine = await a.signIn(await here.signIn())
  const other = await a.signIn(await there.signIn())
  server.clock.advance(1_000)
  await here.post('/account/end-others', { csrf: csrfOf(await (await here.get('/account')).text()) })
  await a.hears(1)
  expect([await a.who(mine), await a.who(other)]).toEqual(['id of ada', 'ended'])
})

describe('an administrator', () => {
  test('signs everybody out, and reads what became of it at each node', async () => {
    const { server, nodes } = await world()
    const [a, b] = nodes
    const [admin, ben] = [server.browser(), server.browser()]
    const cookies = [await a.signIn(await admin.signIn()), await b.signIn(await ben.signIn(undefined, 'ben'))]
    server.clock.advance(1_000)
    const csrf = csrfOf(await (await admin.get('/admin')).text())
    const page = await (await admin.post('/admin/sign-everybody-out', { csrf })).text()
    expect(page).toContain('shop at 127.0.0.1: delivered (sent 1 times)')
    expect(page).toContain('shop at 127.0.0.2: delivered (sent 1 times)')
    // Each of two sessions as a logout token, and all of them at once.
    await Promise.all([a.hears(3), b.hears(3)])
    expect([...a.heard].sort()).toEqual(['/app/k_logout 204', '/backchannel 200', '/backchannel 200'])
    expect([await a.who(cookies[0] ?? ''), await b.who(cookies[1] ?? '')]).toEqual(['ended', 'ended'])
    expect((await ben.get('/account')).status).toBe(401)
    expect((await admin.get('/admin')).status).toBe(403)
  })

  test('has tokens refused that were issued before', async () => {
    const { server, nodes } = await world()
    const admin = server.browser()
    await admin.signIn()
    const csrf = csrfOf(await (await admin.get('/admin')).text())
    const page = await (await admin.post('/admin/refuse-older-tokens', { csrf })).text()
    expect(page).toContain('shop at 127.0.0.2: delivered')
    const at = Math.floor(server.clock.now() / 1_000) * 1_000
    for (const { store } of nodes) expect(await store.raiseNotBefore(0)).toBe(at)
    expect((await admin.get('/admin')).status).toBe(200)
  })

  test('is asked for a form of this server, and where nobody is told is told so', async () => {
    await using server = await TestServer.start()
    const admin = server.browser()
    await admin.signIn()
    for (const path of ['/admin/sign-everybody-out', '/admin/refuse-older-tokens'])
      expect((await admin.post(path, { csrf: '' })).status).toBe(403)
    const csrf = csrfOf(await (await admin.get('/admin')).text())
    expect((await admin.post('/admin/refuse-older-tokens', { csrf })).status).toBe(400)
    expect((await admin.post('/admin/sign-everybody-out', { csrf })).status).toBe(200)
    expect((await admin.get('/admin')).status).toBe(403)
  })
})

describe('registering', () => {
  test('a node that leaves is told nothing more, one that an administrator does not allow never anything', async () => {
    const { server, origin, nodes, registrations, port } = await world()
    const [a, b] = nodes
    await registrations[1]?.close()
    const foreign = await shopNode(server, '127.0.0.99', port)
    const refused = foreign.register(origin)
    onTestFinished(() => refused.close())
    expect(await refused.first).toEqual({ state: 'refused', failures: 1 })
    const browser = server.browser()
    await a.signIn(await browser.signIn())
    await browser.post('/logout', { csrf: csrfOf(await (await browser.get('/account')).text()) })
    await a.hears(1)
    expect([b.heard, foreign.heard]).toEqual([[], []])
  })

  test('a realm that is removed has no nodes any more', async () => {
    const { server } = await world()
    const nodes = server.state.get(applicationNodeSpi)
    expect(await nodes.list('main', 'shop')).toHaveLength(2)
    await server.state.removeRealm('main')
    expect(await nodes.list('main', 'shop')).toEqual([])
  })

  test('a client with a wrong secret, and one without any, has no nodes', async () => {
    const { origin, nodes } = await world()
    const form = (fields: Record<string, string>) =>
      fetch(`${origin}/clients-managements/register-node`, {
        method: 'POST',
        body: new URLSearchParams({ client_cluster_host: '127.0.0.3', ...fields }),
      })
    const answers = [
      await form({ client_id: 'shop', client_secret: 'wrong' }),
      await form({ client_id: 'shop' }),
      await form({}),
    ]
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401])
    expect(nodes.map(({ heard }) => heard)).toEqual([[], []])
  })

  test('discovery says whether applications are told', async () => {
    const { server } = await world()
    const read = async (of: TestServer): Promise<unknown> =>
      (
        (await (await of.node.request('/.well-known/openid-configuration')).json()) as Record<string, unknown>
      )['backchannel_logout_supported']
    await using silent = await TestServer.start()
    expect([await read(server), await read(silent)]).toEqual([true, false])
    expect((await silent.node.request('/clients-managements/register-node', { method: 'POST' })).status).toBe(
      404,
    )
  })
})

describeWith(redis, 'on Redis', () => {
  test('a logout is noted in the step that ends the session, and reaches each node', async () => {
    const { server, nodes } = await world({
      provider: 'redis',
      keyring: { current: 'k', keys: { k: 'k'.repeat(43) } },
      clock: systemClock,
      redis: {
        url: redisUrl(),
        prefix: `test-${randomUUID()}`,
        partitions: 2,
        changes: { consumers: [ENDINGS] },
      },
    })
    const [a, b] = nodes
    const browser = server.browser()
    // What ended before this node began to read is not told.
    while (a.heard.length === 0) {
      await browser.signIn()
      await browser.post('/logout', { csrf: csrfOf(await (await browser.get('/account')).text()) })
    }
    await b.hears(1)
    expect([a.heard[0], b.heard[0]]).toEqual(['/backchannel 200', '/backchannel 200'])
  })
})
