import { StoreUnavailableError, type UserSessionProvider, userSessionSpi } from 'authstate'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { app, codeOf, shop, type TestBrowser, TestServer } from './support.js'

let server: TestServer
beforeEach(async () => {
  server = await TestServer.start()
})
afterEach(() => server.state.close())

const csrfOf = async (browser: TestBrowser): Promise<string> =>
  /name="csrf" value="([^"]*)"/.exec(await (await browser.get('/account')).text())?.[1] ?? ''

describe('my sessions', () => {
  test('lists them, and ends the others', async () => {
    const [laptop, phone] = [server.browser(), server.browser()]
    const kept = await server.redeem(await laptop.signIn())
    const ended = await server.redeem(await phone.signIn())
    const stranger = await server.redeem(await server.browser().signIn(shop, 'ben'))
    const page = await (await laptop.get('/account')).text()
    expect(page.split('<tr><td>')).toHaveLength(3)
    const response = await laptop.post('/account/end-others', { csrf: await csrfOf(laptop) })
    expect([response.status, response.headers.get('location')]).toEqual([303, '/account'])
    expect(await server.userinfo(kept.access_token)).toBe(200)
    expect(await server.userinfo(ended.access_token)).toBe(401)
    expect(await server.userinfo(stranger.access_token)).toBe(200)
    expect((await phone.get('/account')).status).toBe(401)
  })

  test('a form from elsewhere ends nothing', async () => {
    const [laptop, phone] = [server.browser(), server.browser()]
    await laptop.signIn()
    const { access_token: token } = await server.redeem(await phone.signIn())
    for (const csrf of ['', 'x'.repeat(43), await csrfOf(phone)]) {
      expect((await laptop.post('/account/end-others', { csrf })).status).toBe(401)
    }
    expect(await server.userinfo(token)).toBe(200)
  })
})

describe('signing out', () => {
  const [bye = ''] = shop.postLogoutRedirectUris ?? []
  const signOut = (browser: TestBrowser, query: Readonly<Record<string, string>>): Promise<Response> =>
    browser.get(`/logout?${new URLSearchParams(query)}`)

  test('an ID token of this session ends it for every client, and leads back', async () => {
    const browser = server.browser()
    const answer = await server.redeem(await browser.signIn())
    const other = await server.redeem(codeOf((await browser.begin(app)).location), {}, app)
    // The ID token is over by then, and counts all the same.
    server.clock.advance(400_000)
    const response = await signOut(browser, {
      id_token_hint: answer.id_token,
      post_logout_redirect_uri: bye,
      state: 's',
    })
    expect(response.headers.get('location')).toBe(`${bye}?state=s`)
    expect(await server.refresh(answer.refresh_token)).toMatchObject({ error: 'invalid_grant' })
    expect(await server.refresh(other.refresh_token, app)).toMatchObject({ error: 'invalid_grant' })
    expect((await browser.begin()).location).toMatch(/^\/login/)
  })

  test('a link without one only asks', async () => {
    const [browser, stranger] = [server.browser(), server.browser()]
    const { access_token: token } = await server.redeem(await browser.signIn())
    const foreign = await server.redeem(await stranger.signIn(shop, 'ben'))
    for (const hint of ['', 'x', foreign.id_token, token]) {
      const response = await signOut(browser, { id_token_hint: hint, post_logout_redirect_uri: bye })
      expect([response.status, response.headers.get('location')]).toEqual([200, null])
      expect(await response.text()).toContain('Sign out?')
    }
    expect(await server.userinfo(token)).toBe(200)
  })

  test('the form that asks ends it, with its token only', async () => {
    const browser = server.browser()
    const { access_token: token } = await server.redeem(await browser.signIn())
    await browser.post('/logout', { csrf: 'x' })
    expect(await server.userinfo(token)).toBe(200)
    await browser.post('/logout', { csrf: await csrfOf(browser) })
    expect(await server.userinfo(token)).toBe(401)
  })

  test.each([
    ['another address', { post_logout_redirect_uri: 'https://evil.example/' }],
    ['the address of another client', { post_logout_redirect_uri: bye, client_id: 'app' }],
    ['an address of nobody', { post_logout_redirect_uri: bye }],
  ])('nobody is sent to %s', async (_, query) => {
    const response = await signOut(server.browser(), query as Record<string, string>)
    expect([response.status, response.headers.get('location')]).toEqual([200, null])
  })
})

test('while the store is away the server says so, and names nothing', async () => {
  const away = async (): Promise<never> => {
    throw new StoreUnavailableError('user-session.get: Redis did not answer', { applied: 'unknown' })
  }
  const provider = { get: away, touch: away } as unknown as UserSessionProvider
  await using broken = await TestServer.start({
    providers: [{ spi: userSessionSpi, id: 'memory', create: () => provider }],
  })
  const browser = broken.browser()
  browser.cookies.set('__Host-SESSION', `${'x'.repeat(24)}.${'y'.repeat(43)}`)
  const response = await browser.get('/account')
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await response.text()).not.toMatch(/redis|user-session|xxx/i)
})
