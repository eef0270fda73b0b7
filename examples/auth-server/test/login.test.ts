import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { app, codeOf, PASSWORD, shop, TestServer } from './support.js'

let server: TestServer
beforeEach(async () => {
  server = await TestServer.start()
})
afterEach(() => server.state.close())

describe('unknown, wrong and locked are one answer', () => {
  test('the same page, to the last byte, with the same headers', async () => {
    const browser = server.browser()
    const { fields } = await browser.begin()
    const attempt = async (username: string, password: string) => {
      const response = await browser.post('/login', { ...fields, username, password })
      const headers: string[] = []
      response.headers.forEach((value, name) => void headers.push(`${name}: ${value}`))
      return { status: response.status, headers, html: await response.text() }
    }
    const unknown = await attempt('nobody', PASSWORD)
    const wrong = [await attempt('ada', '1'), await attempt('ada', '2'), await attempt('ada', '3')]
    expect(await server.state.loginFailures.check('main', 'id of ada')).toMatchObject({ locked: true })
    const locked = await attempt('ada', PASSWORD)
    for (const answer of [...wrong, locked]) expect(answer).toEqual(unknown)
    expect(unknown.status).toBe(403)
  })

  test('another user signs in meanwhile, and the locked one when the time is over', async () => {
    const browser = server.browser()
    const { fields } = await browser.begin()
    for (const password of ['1', '2', '3', PASSWORD]) {
      const response = await browser.post('/login', { ...fields, username: 'ada', password })
      expect(response.status).toBe(403)
    }
    expect(await server.browser().signIn(undefined, 'ben')).not.toBe('')
    server.clock.advance(60_000)
    const response = await browser.post('/login', { ...fields, username: 'ada', password: PASSWORD })
    expect(codeOf(response.headers.get('location'))).not.toBe('')
  })

  test.each([
    ['empty', ''],
    ['long', 'x'.repeat(5_000)],
    ['long in bytes', '\u4e2d'.repeat(199)],
    ['a lone surrogate', '\ud800'],
    ['of an object', '__proto__'],
  ])('a user name that is %s', async (_, username) => {
    const browser = server.browser()
    const { fields } = await browser.begin()
    const response = await browser.post('/login', { ...fields, username, password: PASSWORD })
    expect(response.status).toBe(403)
  })
})

describe('a form counts only in the tab and the browser it was made for', () => {
  const count = async () => (await server.state.loginFailures.get('main', 'id of ada'))?.numFailures ?? 0

  test('no token, a wrong one, and that of another tab', async () => {
    const browser = server.browser()
    const { fields } = await browser.begin()
    const other = await browser.begin()
    expect(other.fields['tab_id']).not.toBe(fields['tab_id'])
    for (const csrf of ['', 'x'.repeat(43), other.fields['csrf'] ?? '']) {
      for (const password of [PASSWORD, 'wrong']) {
        const response = await browser.post('/login', { ...fields, csrf, username: 'ada', password })
        expect([response.status, response.headers.get('location')]).toEqual([400, null])
      }
    }
    expect(await count()).toBe(0)
  })

  test("another browser, and another client's name", async () => {
    const { fields } = await server.browser().begin()
    const stranger = server.browser()
    await stranger.begin()
    const credentials = { username: 'ada', password: PASSWORD }
    expect((await stranger.post('/login', { ...fields, ...credentials })).status).toBe(400)
    expect((await server.browser().post('/login', { ...fields, ...credentials })).status).toBe(400)
    const browser = server.browser()
    const own = await browser.begin()
    expect((await browser.post('/login', { ...own.fields, client_id: 'app', ...credentials })).status).toBe(
      400,
    )
    expect(await count()).toBe(0)
  })

  test('a cookie that was tampered with is no cookie', async () => {
    const browser = server.browser()
    const { location } = await browser.begin()
    const [name = '', value = ''] = [...browser.cookies][0] ?? []
    browser.cookies.set(name, `${value.slice(0, 5)}${value[5] === 'A' ? 'B' : 'A'}${value.slice(6)}`)
    expect((await browser.get(location)).status).toBe(400)
  })

  test('too late: the login has expired', async () => {
    const browser = server.browser()
    const { fields } = await browser.begin()
    server.clock.advance(1_800_000)
    const response = await browser.post('/login', { ...fields, username: 'ada', password: PASSWORD })
    expect([response.status, response.headers.get('location')]).toEqual([400, null])
  })
})

describe('a login makes one session', () => {
  test('of forms sent at once one signs in', async () => {
    for (let round = 0; round < 5; round++) {
      const browser = server.browser()
      const { fields } = await browser.begin()
      const all = await Promise.all(
        [1, 2, 3].map(() => browser.post('/login', { ...fields, username: 'ben', password: PASSWORD })),
      )
      expect(all.map(({ status }) => status).sort()).toEqual([303, 400, 400])
    }
    const { items } = await server.state.userSessions.listByUser('main', 'id of ben', { limit: 100 })
    expect(items).toHaveLength(5)
  })

  test('a password in a second tab joins it: the first application stays signed in', async () => {
    const browser = server.browser()
    const [first, second] = [await browser.begin(shop), await browser.begin(app)]
    const credentials = { username: 'ada', password: PASSWORD }
    const signIn = async ({ fields }: { fields: Record<string, string> }) =>
      codeOf((await browser.post('/login', { ...fields, ...credentials })).headers.get('location'))
    const atShop = await server.redeem(await signIn(first))
    server.clock.advance(30_000)
    const atApp = await server.redeem(await signIn(second), {}, app)
    expect(await server.userinfo(atShop.access_token)).toBe(200)
    expect(await server.userinfo(atApp.access_token)).toBe(200)
    const { items } = await server.state.userSessions.listByUser('main', 'id of ada')
    expect(items.map(({ clients }) => [...clients.keys()].sort())).toEqual([['app', 'shop']])
    expect(Object.keys(items[0]?.notes ?? {})).toHaveLength(1)
    expect((await browser.get('/account')).status).toBe(200)
  })

  test('two forms at once, in two tabs of one browser, make one, in which both applications are', async () => {
    for (let round = 0; round < 10; round++) {
      const browser = server.browser()
      const forms = [await browser.begin(shop), await browser.begin(app)]
      const answers = await Promise.all(
        forms.map(({ fields }) => browser.post('/login', { ...fields, username: 'ben', password: PASSWORD })),
      )
      const codes = answers.map(({ headers }) => codeOf(headers.get('location')))
      const atShop = await server.redeem(codes[0] ?? '')
      const atApp = await server.redeem(codes[1] ?? '', {}, app)
      expect([atShop.status, atApp.status]).toEqual([200, 200])
      const { items } = await server.state.userSessions.listByUser('main', 'id of ben')
      expect(items.map(({ clients }) => clients.size)).toEqual([2])
      expect((await browser.get('/account')).status).toBe(200)
      await server.state.userSessions.removeByUser('main', 'id of ben')
      server.clock.advance(1)
    }
  })

  test('one whose form was sent before the user was signed out everywhere makes none', async () => {
    for (const isSignedIn of [false, true]) {
      const browser = server.browser()
      if (isSignedIn) await browser.signIn()
      const { fields } = await browser.begin(app, { prompt: 'login' })
      server.before.set('authSessions.promote', async () => {
        await server.state.userSessions.removeByUser('main', 'id of ada')
        server.clock.advance(1_000)
      })
      const response = await browser.post('/login', { ...fields, username: 'ada', password: PASSWORD })
      expect([response.status, response.headers.get('location')]).toEqual([400, null])
      expect((await server.state.userSessions.listByUser('main', 'id of ada')).items).toEqual([])
      server.before.clear()
      expect(await server.browser().signIn()).not.toBe('')
      await server.state.userSessions.removeByUser('main', 'id of ada')
      server.clock.advance(1_000)
    }
  })

  test('under an id of its own, and the one before ends', async () => {
    const browser = server.browser()
    const first = await server.redeem(await browser.signIn())
    const { fields } = await browser.begin(undefined, { prompt: 'login' })
    const response = await browser.post('/login', { ...fields, username: 'ben', password: PASSWORD })
    const second = await server.redeem(codeOf(response.headers.get('location')))
    expect(await server.userinfo(first.access_token)).toBe(401)
    expect(await server.userinfo(second.access_token)).toBe(200)
  })

  test('a failed attempt to sign in again leaves the session as it is', async () => {
    const browser = server.browser()
    const { access_token: token } = await server.redeem(await browser.signIn())
    const { fields } = await browser.begin(undefined, { prompt: 'login' })
    expect((await browser.post('/login', { ...fields, username: 'ben', password: 'wrong' })).status).toBe(403)
    expect(await server.userinfo(token)).toBe(200)
  })
})

describe('what is no form of ours', () => {
  test.each([
    ['a client or a tab that cannot be', { client_id: '\u4e2d'.repeat(199), tab_id: '\u4e2d'.repeat(199) }],
    ['no fields', {}],
  ])('%s', async (_, changes) => {
    const browser = server.browser()
    await browser.begin()
    expect((await browser.post('/login', changes)).status).toBe(400)
    const query = new URLSearchParams(changes)
    expect((await browser.get(`/login?${query}`)).status).toBe(400)
  })

  test('another content type, and too much of it', async () => {
    const post = async (type: string, body: string) =>
      (await server.node.request('/login', { method: 'POST', body, headers: { 'content-type': type } }))
        .status
    expect(await post('multipart/form-data; boundary=x', 'nothing of the kind')).toBe(400)
    expect(await post('application/json', '{"username":"ada"}')).toBe(400)
    const tooMuch = new URLSearchParams({ username: 'x'.repeat(20_000) }).toString()
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': `${tooMuch.length}`,
    }
    expect((await server.node.request('/login', { method: 'POST', body: tooMuch, headers })).status).toBe(413)
  })
})

test('applications in a browser may fetch what reads no cookie, and nothing else', async () => {
  const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
  for (const path of ['/token', '/userinfo', '/jwks', '/.well-known/openid-configuration']) {
    const response = await server.node.request(path, { method: 'OPTIONS', headers })
    expect([path, response.headers.get('access-control-allow-origin')]).toEqual([path, '*'])
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
  }
  for (const path of ['/login', '/account', '/account/end-others', '/authorize', '/logout']) {
    const response = await server.node.request(path, { method: 'OPTIONS', headers })
    expect([path, response.headers.get('access-control-allow-origin')]).toEqual([path, null])
  }
})

test('pages run nothing, load nothing, are framed by nobody and kept nowhere', async () => {
  const browser = server.browser()
  const { location } = await browser.begin()
  for (const path of [location, '/account', '/nothing', '/authorize']) {
    const { headers } = await browser.get(path)
    const policy = headers.get('content-security-policy') ?? ''
    for (const part of [
      "default-src 'none'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'self'",
    ]) {
      expect(policy, path).toContain(part)
    }
    expect(policy).not.toContain('unsafe')
    expect([headers.get('cache-control'), headers.get('x-frame-options')]).toEqual(['no-store', 'DENY'])
  }
  const page = await (await browser.get(location)).text()
  expect(page).toContain('Shop &lt;b&gt;')
})
