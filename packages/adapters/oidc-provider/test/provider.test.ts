// oidc-provider as it is published, over HTTP on loopback.
import { openInspector } from '@authstate/conformance'
import { expect, onTestFinished, test } from 'vitest'
import { Browser } from '../../../../tools/testing/browser.js'
import { describeWith, redis, redisUrl } from '../../../../tools/testing/capabilities.js'
import { openRedis } from '../../../../tools/testing/redis-targets.js'
import type { AccountGrant, AccountSession } from '../src/index.js'
import { published, startPublished } from './published.js'

const SERVER = new URL('./server/main.ts', import.meta.url).pathname
const AUTHORIZE = `/auth?${new URLSearchParams({
  client_id: 'shop',
  response_type: 'code',
  redirect_uri: 'http://127.0.0.1/callback',
  scope: 'openid offline_access',
  prompt: 'consent',
})}`

class Server {
  readonly origin: string

  constructor(port: string) {
    this.origin = `http://127.0.0.1:${port}`
  }

  /** One server for each way of keeping models. */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<Server[]> {
    const [, ...ports] = (await startPublished(SERVER, env).said(/^ready [\d ]+$/)).split(' ')
    return ports.map((port) => new Server(port))
  }

  /** Signs in with a browser of its own, as far as the client's page, or to the first redirect that is not wanted. */
  async signIn(browser: Browser, account: string, wanted?: (location: string) => boolean) {
    const asked = await browser.go(AUTHORIZE, (path) => !path.startsWith('/interaction/'))
    if (!asked.location.startsWith('/interaction/')) return asked
    const signedIn = await browser.go(
      `${asked.location}?account=${account}`,
      wanted ?? ((path) => !path.startsWith('/interaction/')),
    )
    if (!signedIn.location.startsWith('/interaction/')) return signedIn
    return browser.go(`${signedIn.location}?account=${account}`)
  }

  /** Comes back to the client without being asked anything. @returns the error of OAuth, if there is one */
  async silently(browser: Browser): Promise<string | null> {
    const { location } = await browser.go(AUTHORIZE.replace('prompt=consent', 'prompt=none'))
    return new URL(location).searchParams.get('error')
  }

  async token(parameters: Readonly<Record<string, string>>) {
    const body = new URLSearchParams({ client_id: 'shop', client_secret: 'secret', ...parameters })
    const response = await fetch(`${this.origin}/token`, { method: 'POST', body })
    return (await response.json()) as Readonly<Record<string, string | undefined>>
  }

  redeem = (code: string) =>
    this.token({ grant_type: 'authorization_code', code, redirect_uri: 'http://127.0.0.1/callback' })
  refresh = (token: string) => this.token({ grant_type: 'refresh_token', refresh_token: token })

  async page<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    return (await (await fetch(`${this.origin}${path}?${new URLSearchParams(query)}`)).json()) as T
  }
}

const codeOf = ({ location }: { readonly location: string }): string =>
  new URL(location).searchParams.get('code') ?? `no code: ${location}`

describeWith(published, 'oidc-provider, published', () => {
  test('a code is redeemed once, a refresh token is rotated, and a replay ends the grant', async () => {
    const [server] = (await Server.start()) as [Server]
    const code = codeOf(await server.signIn(new Browser(server.origin), 'ada'))
    const tokens = await server.redeem(code)
    expect(tokens).toMatchObject({ access_token: expect.any(String), id_token: expect.any(String) })
    const first = tokens['refresh_token'] ?? ''
    const second = (await server.refresh(first))['refresh_token'] ?? ''
    expect(second).not.toBe(first)
    const third = (await server.refresh(second))['refresh_token'] ?? ''
    expect(await server.page<AccountGrant[]>('/my/grants', { account: 'ada' })).toMatchObject([
      { clientId: 'shop', scopes: ['openid', 'offline_access'] },
    ])
    expect(await server.refresh(first), 'a replay').toMatchObject({ error: 'invalid_grant' })
    expect(await server.refresh(third), 'its grant is gone').toMatchObject({ error: 'invalid_grant' })
    expect(await server.page('/my/grants', { account: 'ada' })).toEqual([])
    expect(await server.redeem(code)).toMatchObject({ error: 'invalid_grant' })
  })

  test('sessions are listed and ended: one, the others, and a sign-in under way', async () => {
    const [server] = (await Server.start()) as [Server]
    const browsers = [1, 2, 3].map(() => new Browser(server.origin)) as [Browser, Browser, Browser]
    for (const browser of browsers)
      expect(await server.redeem(codeOf(await server.signIn(browser, 'ada')))).toHaveProperty('id_token')
    const listed = async () => server.page<AccountSession[]>('/my/sessions', { account: 'ada' })
    const [one, other] = (await listed()) as [AccountSession, AccountSession]
    expect(await listed()).toHaveLength(3)
    expect(one).toMatchObject({ clientIds: ['shop'], signedInAt: expect.any(Number) })
    expect(await server.page('/my/end', { id: one.uid })).toBe(true)
    const answers = async () =>
      (await Promise.all(browsers.map((browser) => server.silently(browser)))).sort()
    expect(await answers()).toEqual(['login_required', null, null])
    expect(await server.page('/my/end-others', { account: 'ada', id: other.uid })).toBe(1)
    expect(await answers()).toEqual(['login_required', 'login_required', null])
    const late = new Browser(server.origin)
    const { location } = await server.signIn(late, 'ada', () => false)
    expect(await server.page('/my/end-others', { account: 'ada' })).toBe(1)
    expect(await late.go(location)).toMatchObject({ status: 400, location: '', text: 'access_denied' })
    expect(await listed()).toEqual([])
    expect(codeOf(await server.signIn(new Browser(server.origin), 'ada'))).not.toMatch(/^no code/)
    expect(await listed()).toHaveLength(1)
  })

  test('a grant that the user revoked is over for the client', async () => {
    const [server] = (await Server.start()) as [Server]
    const tokens = await server.redeem(codeOf(await server.signIn(new Browser(server.origin), 'ada')))
    const [grant] = await server.page<AccountGrant[]>('/my/grants', { account: 'ada' })
    await server.page('/my/revoke', { id: grant?.grantId ?? '' })
    expect(await server.refresh(tokens['refresh_token'] ?? '')).toMatchObject({ error: 'invalid_grant' })
    const userinfo = await fetch(`${server.origin}/me`, {
      headers: { authorization: `Bearer ${tokens['access_token']}` },
    })
    expect(userinfo.status).toBe(401)
  })
})

const ROUNDS = 40

/** Where models are kept: {@link createAdapter} with and without a lease, and what people write first. */
const WAYS = ['lease', 'off', 'plain'] as const

describeWith(published.available ? redis : published, 'oidc-provider, published, at two processes', () => {
  test(`of two that redeem one refresh token one gets tokens: ${ROUNDS} of ${ROUNDS}, where a plain adapter gives both`, async () => {
    const client = openRedis()
    const PREFIX = `oidc-${process.pid}`
    onTestFinished(async () => {
      await (await openInspector(client)).clear(PREFIX)
      client.disconnect()
    })
    const start = () => Server.start({ SERVER_REDIS_URL: redisUrl(), PREFIX, WAYS: WAYS.join() })
    const [here, there] = await Promise.all([start(), start()])
    const both: Record<string, number> = {}
    for (const [at, way] of WAYS.entries()) {
      const winners: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const token = (await here[at]?.page<string>('/mint', { account: 'ada' })) ?? ''
        const answers = await Promise.all([here[at]?.refresh(token), there[at]?.refresh(token)])
        winners.push(answers.filter((answer) => answer?.['refresh_token'] !== undefined).length)
      }
      expect(winners, way).not.toContain(0)
      both[way] = winners.filter((count) => count === 2).length
    }
    console.log(`both of two got tokens, of ${ROUNDS}:`, both)
    expect(both).toEqual({ lease: 0, off: 0, plain: expect.any(Number) })
    expect(both['plain']).toBeGreaterThan(0)
  })
})
