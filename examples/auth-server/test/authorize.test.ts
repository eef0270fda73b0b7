import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { app, authorizePath, codeOf, ISSUER, shop, TestServer } from './support.js'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.state.close())

describe('nobody is sent to an address that the client did not register', () => {
  const [registered = ''] = shop.redirectUris
  test.each([
    ['another host', 'https://evil.example/callback?from=login'],
    ['one more character', `${registered}/`],
    ['one more parameter', `${registered}&x=1`],
    ['no parameters', 'https://shop.example/callback'],
    ['another case', registered.toUpperCase()],
    ['a user in front', 'https://shop.example@evil.example/callback?from=login'],
    ['that of another client', app.redirectUris[0] as string],
    ['a script', 'javascript:alert(1)'],
    ['nothing', ''],
  ])('%s', async (_, uri) => {
    const response = await server.browser().get(authorizePath(shop, { redirect_uri: uri }))
    expect(response.status).toBe(400)
    expect(response.headers.get('location')).toBeNull()
  })

  test('an unknown client', async () => {
    const response = await server.browser().get(authorizePath(shop, { client_id: 'shoq' }))
    expect([response.status, response.headers.get('location')]).toEqual([400, null])
  })

  test('a parameter that is there twice', async () => {
    const path = `${authorizePath(shop)}&redirect_uri=https%3A%2F%2Fevil.example`
    const response = await server.browser().get(path)
    expect([response.status, response.headers.get('location')]).toEqual([400, null])
  })
})

describe('the client hears what is wrong with its request', () => {
  test.each([
    ['no PKCE', { code_challenge: '' }, 'invalid_request'],
    ['PKCE without a hash', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['no openid', { scope: 'email' }, 'invalid_scope'],
    ['a request object', { request: 'x' }, 'invalid_request'],
    ['an unknown prompt', { prompt: 'consent' }, 'invalid_request'],
    ['an age that is none', { max_age: '-1' }, 'invalid_request'],
    ['a login where none may be asked for', { prompt: 'none' }, 'login_required'],
  ])('%s', async (_, changes, error) => {
    const response = await server.browser().get(authorizePath(shop, changes))
    const location = new URL(response.headers.get('location') ?? '')
    expect(location.origin + location.pathname).toBe('https://shop.example/callback')
    expect(Object.fromEntries(location.searchParams)).toMatchObject({
      from: 'login',
      error,
      state: 'a state',
      iss: ISSUER,
    })
    expect(location.searchParams.has('code')).toBe(false)
  })
})

describe('single sign-on', () => {
  test('a second client joins the session without a password', async () => {
    const browser = server.browser()
    const first = await server.redeem(await browser.signIn())
    const { location } = await browser.begin(app)
    const second = await server.redeem(codeOf(location), {}, app)
    const [one, other] = [first, second].map(({ id_token: token }) => claimsOf(token))
    expect(other?.['sid']).toBe(one?.['sid'])
    expect([one?.['aud'], other?.['aud']]).toEqual(['shop', 'app'])
  })

  test.each([
    ['prompt=login asks again', { prompt: 'login' }],
    ['max_age asks again once the login is older', { max_age: '60' }],
  ])('%s', async (_, changes) => {
    const browser = server.browser()
    await browser.signIn()
    server.clock.advance(60_001)
    expect((await browser.begin(shop)).location).toContain('code=')
    expect((await browser.begin(shop, changes)).location).toMatch(/^\/login\?/)
  })

  test('the id of a session opens nothing without the secret of its browser', async () => {
    const browser = server.browser()
    const { id_token: token } = await server.redeem(await browser.signIn())
    const thief = server.browser()
    for (const [name, value] of browser.cookies) {
      thief.cookies.set(
        name,
        value.startsWith(`${claimsOf(token)['sid']}.`)
          ? `${claimsOf(token)['sid']}.${'x'.repeat(43)}`
          : value,
      )
    }
    expect((await thief.get('/account')).status).toBe(401)
    expect((await browser.get('/account')).status).toBe(200)
  })
})

const claimsOf = (jwt: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
