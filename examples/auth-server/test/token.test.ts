import { StoreUnavailableError } from 'authstate'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RETRY_MS } from '../src/code.js'
import { app, codeOf, shop, TestServer, VERIFIER } from './support.js'

let server: TestServer
beforeEach(async () => {
  server = await TestServer.start()
})
afterEach(() => server.state.close())

const idOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti

/** The store is away when the server comes to this step, and back at once. */
function goAwayOnce(step: string): void {
  server.before.set(step, () => {
    server.before.delete(step)
    throw new StoreUnavailableError('Redis did not answer', { applied: 'unknown' })
  })
}

const REFUSED = { status: 400, error: 'invalid_grant' }

describe('a code', () => {
  test('works once, for its client, with its verifier and its address', async () => {
    const answer = await server.redeem(await server.browser().signIn())
    expect(answer).toMatchObject({
      status: 200,
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'openid email',
    })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await server.userinfo(answer.access_token)).toBe(200)
  })

  test.each([
    ['a wrong verifier', { code_verifier: 'w'.repeat(43) }],
    ['no verifier', { code_verifier: '' }],
    ['another address', { redirect_uri: 'https://shop.example/callback' }],
    ['no address', { redirect_uri: '' }],
  ])('is refused with %s, and spent', async (_, changes) => {
    const code = await server.browser().signIn()
    expect(await server.redeem(code, changes)).toMatchObject(REFUSED)
    expect(await server.redeem(code)).toMatchObject(REFUSED)
  })

  test('of another client is refused', async () => {
    const code = await server.browser().signIn(shop)
    const answer = await server.redeem(code, { redirect_uri: shop.redirectUris[0] as string }, app)
    expect(answer).toMatchObject(REFUSED)
  })

  test('is refused after a minute, to the millisecond', async () => {
    const [early, late] = [await server.browser().signIn(), await server.browser().signIn()]
    server.clock.advance(59_999)
    expect(await server.redeem(early)).toMatchObject({ status: 200 })
    server.clock.advance(1)
    expect(await server.redeem(late)).toMatchObject(REFUSED)
  })

  test('that is replayed revokes what came from it, and nothing else', async () => {
    const browser = server.browser()
    const code = await browser.signIn()
    const first = await server.redeem(code)
    const refreshed = await server.refresh(first.refresh_token)
    const again = await server.redeem(codeOf((await browser.begin()).location))
    server.clock.advance(RETRY_MS + 1)
    expect(await server.redeem(code)).toMatchObject(REFUSED)
    expect(await server.userinfo(first.access_token)).toBe(401)
    expect(await server.userinfo(refreshed.access_token)).toBe(401)
    expect(await server.refresh(refreshed.refresh_token)).toMatchObject(REFUSED)
    expect(await server.userinfo(again.access_token)).toBe(200)
  })

  test('that another client replays revokes nothing', async () => {
    const code = await server.browser().signIn()
    const { access_token: token } = await server.redeem(code)
    expect(await server.redeem(code, {}, app)).toMatchObject(REFUSED)
    expect(await server.userinfo(token)).toBe(200)
  })

  test('of a session that has ended is refused', async () => {
    const browser = server.browser()
    const code = await browser.signIn()
    await server.state.userSessions.removeByUser('main', 'id of ada')
    expect(await server.redeem(code)).toMatchObject(REFUSED)
  })

  test('of many at once with other verifiers goes to none of them, and to nobody after them', async () => {
    for (let round = 0; round < 5; round++) {
      const code = await server.browser().signIn()
      const all = await Promise.all(
        Array.from({ length: 8 }, (_, n) => server.redeem(code, n === 0 ? {} : { code_verifier: `${n}` })),
      )
      expect(all.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
      // Whoever won, the others were replays: nothing that came from the code lives.
      for (const { access_token: token } of all) if (token) expect(await server.userinfo(token)).toBe(401)
    }
  })

  test('whose answer was lost is answered again, with the same refresh token, and not for long', async () => {
    const code = await server.browser().signIn()
    const lost = await server.redeem(code)
    const answer = await server.redeem(code)
    expect(answer).toMatchObject({ status: 200 })
    expect(idOf(answer.refresh_token)).toBe(idOf(lost.refresh_token))
    expect(await server.userinfo(answer.access_token)).toBe(200)
    expect(await server.refresh(answer.refresh_token)).toMatchObject({ status: 200 })
    server.clock.advance(RETRY_MS + 1)
    expect(await server.redeem(code)).toMatchObject(REFUSED)
    expect(await server.userinfo(answer.access_token)).toBe(401)
  })

  test('whose session the store did not find for a moment is good for another try', async () => {
    const code = await server.browser().signIn()
    goAwayOnce('userSessions.touch')
    expect(
      (
        await server.tokenRaw({
          grant_type: 'authorization_code',
          code,
          code_verifier: VERIFIER,
          redirect_uri: shop.redirectUris[0] as string,
        })
      ).status,
    ).toBe(503)
    const answer = await server.redeem(code)
    expect(await server.userinfo(answer.access_token)).toBe(200)
  })

  test.each([[''], ['x'], ['x'.repeat(43)], ['x'.repeat(10_000)], ['{}:%😀'], ['__proto__']])(
    'that is none is refused: %#',
    async (code) => expect(await server.redeem(code)).toMatchObject(REFUSED),
  )
})

describe('a refresh token', () => {
  test.each(['userSessions.touch', 'actionTokens.put'])(
    'is not lost when the store is away for %s, after it was rotated',
    async (step) => {
      const first = await server.redeem(await server.browser().signIn())
      goAwayOnce(step)
      expect(
        (await server.tokenRaw({ grant_type: 'refresh_token', refresh_token: first.refresh_token })).status,
      ).toBe(503)
      const second = await server.refresh(first.refresh_token)
      expect(second).toMatchObject({ status: 200 })
      expect(await server.userinfo(second.access_token)).toBe(200)
      server.clock.advance(RETRY_MS + 1)
      expect(await server.refresh(second.refresh_token)).toMatchObject({ status: 200 })
    },
  )

  test('whose answer was lost is answered again with the same successor', async () => {
    const first = await server.redeem(await server.browser().signIn())
    const all = await Promise.all([1, 2, 3].map(() => server.refresh(first.refresh_token)))
    expect(new Set(all.map((one) => idOf(one.refresh_token))).size).toBe(1)
    const next = await server.refresh(all[2]?.refresh_token ?? '')
    expect(next).toMatchObject({ status: 200 })
  })

  test('gives the next one, and comes back for nothing: the session of the client ends', async () => {
    const browser = server.browser()
    const first = await server.redeem(await browser.signIn())
    const other = await server.redeem(codeOf((await browser.begin(app)).location), {}, app)
    const second = await server.refresh(first.refresh_token)
    expect(second).toMatchObject({ status: 200 })
    server.clock.advance(RETRY_MS + 1)
    expect(await server.refresh(first.refresh_token)).toMatchObject(REFUSED)
    expect(await server.refresh(second.refresh_token)).toMatchObject(REFUSED)
    expect(await server.userinfo(second.access_token)).toBe(401)
    expect(await server.userinfo(other.access_token)).toBe(200)
  })

  test('that was replayed stays dead when the user signs on again', async () => {
    const browser = server.browser()
    const first = await server.redeem(await browser.signIn())
    const second = await server.refresh(first.refresh_token)
    server.clock.advance(RETRY_MS + 1)
    await server.refresh(first.refresh_token)
    const again = await server.redeem(codeOf((await browser.begin()).location))
    expect(await server.userinfo(again.access_token)).toBe(200)
    expect(await server.userinfo(second.access_token)).toBe(401)
    expect(await server.refresh(second.refresh_token)).toMatchObject(REFUSED)
    expect(await server.userinfo(again.access_token)).toBe(200)
  })

  test('of another client is refused', async () => {
    const { refresh_token: token } = await server.redeem(await server.browser().signIn())
    expect(await server.refresh(token, app)).toMatchObject(REFUSED)
    expect(await server.refresh(token)).toMatchObject({ status: 200 })
  })

  test('is no access token, and an access token is no refresh token', async () => {
    const answer = await server.redeem(await server.browser().signIn())
    expect(await server.userinfo(answer.refresh_token)).toBe(401)
    expect(await server.userinfo(answer.id_token)).toBe(401)
    expect(await server.refresh(answer.access_token)).toMatchObject(REFUSED)
    expect(await server.refresh(answer.id_token)).toMatchObject(REFUSED)
  })

  test('ends with the idle time of its session', async () => {
    const { refresh_token: token } = await server.redeem(await server.browser().signIn())
    server.clock.advance(1_800_000)
    expect(await server.refresh(token)).toMatchObject(REFUSED)
  })
})

describe('an access token', () => {
  test('is refused once its session has ended', async () => {
    const { access_token: token } = await server.redeem(await server.browser().signIn())
    expect(await server.userinfo(token)).toBe(200)
    await server.state.userSessions.removeByUser('main', 'id of ada')
    expect(await server.userinfo(token)).toBe(401)
  })

  test('is refused when its time is over', async () => {
    const { access_token: token } = await server.redeem(await server.browser().signIn())
    server.clock.advance(300_000)
    expect(await server.userinfo(token)).toBe(401)
  })

  test('that was changed, cut or made up is refused', async () => {
    const { access_token: token } = await server.redeem(await server.browser().signIn())
    const [head = '', , signature = ''] = token.split('.')
    const claims = Buffer.from(JSON.stringify({ sub: 'id of ben', iss: 'https://login.example' })).toString(
      'base64url',
    )
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
    for (const forged of ['', 'x', head, `${head}.${claims}.${signature}`, `${none}.${claims}.`]) {
      expect(await server.userinfo(forged)).toBe(401)
    }
  })
})

describe('a client has to prove who it is', () => {
  test.each([
    ['a wrong secret', { ...shop, secret: 'wrong' }],
    ['no secret', { ...app, clientId: 'shop' }],
    ['a secret where there is none', { ...app, secret: 'x' }],
    ['an unknown name', { ...app, clientId: 'nobody' }],
  ])('%s', async (_, client) => {
    const code = await server.browser().signIn()
    const answer = await server.redeem(code, {}, client)
    expect(answer).toMatchObject({ status: 401, error: 'invalid_client' })
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /)
    // Whoever could not prove it has not spent the code either.
    expect(await server.redeem(code)).toMatchObject({ status: 200 })
  })

  test('a grant that is not supported', async () => {
    expect(await server.token({ grant_type: 'password' })).toMatchObject({ error: 'unsupported_grant_type' })
    expect(await server.token({})).toMatchObject({ error: 'unsupported_grant_type' })
  })
})
