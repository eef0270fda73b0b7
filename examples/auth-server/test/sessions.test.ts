import { StoreUnavailableError, type UserSessionProvider, userSessionSpi } from 'authstate'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Activity } from '../src/activity.js'
import { app, codeOf, shop, type TestBrowser, TestServer } from './support.js'

let server: TestServer
beforeEach(async () => {
  server = await TestServer.start()
})
afterEach(() => server.state.close())

type UserSessionListener = Parameters<UserSessionProvider['on']>[1]

const happenings = (page = ''): string[] =>
  [...page.matchAll(/<li>[^<]*: ([^<]*)<\/li>/g)].map(([, what = '']) => what)

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

test('my sessions come page by page', async () => {
  await using paged = await TestServer.start({}, { sessionsPerPage: 2 })
  const laptop = paged.browser()
  await laptop.signIn()
  for (let n = 0; n < 4; n++) {
    paged.clock.advance(1)
    await paged.browser().signIn()
  }
  const pages: string[] = []
  let path: string | undefined = '/account'
  while (path !== undefined && pages.length < 9) {
    const page: string = await (await laptop.get(path)).text()
    pages.push(page)
    path = /<a href="([^"]*)">Next</.exec(page)?.[1]
  }
  expect(pages.map((page) => page.split('<tr><td>').length - 1)).toEqual([2, 2, 1])
  expect(pages.join('').split('this one')).toHaveLength(2)
  for (const cursor of ['x', '', 'MTox', '%00']) {
    const response = await laptop.get(`/account?${new URLSearchParams({ cursor })}`)
    expect([response.status, await response.text()]).toEqual([200, pages[0]])
  }
})

test('who signs in once too often loses the oldest session, and reads why', async () => {
  await using limited = await TestServer.start({
    spi: { 'user-session': { maxSessionsPerUser: 2, limitPolicy: 'end-oldest' } },
  })
  const browsers = [limited.browser(), limited.browser(), limited.browser()]
  const tokens: string[] = []
  for (const browser of browsers) {
    limited.clock.advance(1)
    tokens.push((await limited.redeem(await browser.signIn())).access_token)
  }
  expect(await Promise.all(tokens.map((token) => limited.userinfo(token)))).toEqual([401, 200, 200])
  const [first, , last] = await Promise.all(browsers.map((browser) => browser.get('/account')))
  expect(first?.status).toBe(401)
  expect(happenings(await last?.text())).toContain('a session was ended to make room for another')
})

describe('what happened lately', () => {
  test('sessions that began, ended and expired, of this user alone', async () => {
    const browser = server.browser()
    await browser.signIn()
    await server.browser().signIn(shop, 'ben')
    server.clock.advance(40 * 60_000)
    await server.state.userSessions.sweep()
    await browser.signIn()
    await browser.post('/logout', { csrf: await csrfOf(browser) })
    await browser.signIn()
    const page = await (await browser.get('/account')).text()
    expect(happenings(page)).toEqual([
      'a session began',
      'a session was signed out',
      'a session began',
      'a session expired',
      'a session began',
    ])
  })

  test('the newest few, whatever happens', () => {
    const tell: UserSessionListener[] = []
    const activity = new Activity(
      { on: (_: string, listener: UserSessionListener) => tell.push(listener) } as never,
      'main',
    )
    const happen = (userId: string, at: number, realmId = 'main'): void =>
      tell[0]?.({ type: 'created', realmId, sessionId: 's', offline: false, clientIds: [], userId, at })
    happen('a', 1)
    happen('b', 1, 'another')
    expect([activity.ofUser('a').length, activity.ofUser('b').length]).toEqual([1, 0])
    for (let at = 2; at < 1_002; at++) happen('b', at)
    expect(activity.ofUser('a')).toEqual([])
    expect(activity.ofUser('b').map(({ at }) => at)).toEqual([1_001, 1_000, 999, 998, 997])
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
  const provider = { get: away, touch: away, on: () => () => {} } as unknown as UserSessionProvider
  await using broken = await TestServer.start({
    providers: [{ spi: userSessionSpi, id: 'memory', create: () => provider }],
  })
  const browser = broken.browser()
  browser.cookies.set('__Host-SESSION', `${'x'.repeat(24)}.${'y'.repeat(43)}`)
  const response = await browser.get('/account')
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await response.text()).not.toMatch(/redis|user-session|xxx/i)
})
