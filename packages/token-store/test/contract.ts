import { StoreUnavailableError } from '@authstate/spi'
import { expect, test } from 'vitest'
import type { TokenStoreState } from '../src/index.js'
import { type Application, type AppOptions, Gate, logoutRequest, replaced, START } from './support.js'

export type OpenApp = (options?: Omit<AppOptions, 'kind' | 'redis'>) => Promise<Application>

/** What both kinds of stores promise, wherever the state is. Names say the scenario of application clustering. */
export function describeContract(open: OpenApp): void {
  test('39: a sign-in at one node is a session at the other, in cookies of 4096 bytes at most', async () => {
    const app = await open()
    const { store } = app.nodes[0]
    const created = await store.create({
      subject: 'u-1',
      sid: 's-1',
      authTime: START - 5,
      tokens: app.op.issue({ idToken: 'id', scope: 'openid' }),
      data: { name: 'Ada' },
    })
    if (created.outcome !== 'created') throw new Error(created.outcome)
    for (const cookie of created.cookies) expect(cookie.length).toBeLessThanOrEqual(4_096)
    expect(created.cookies[0]).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    const browser = await app.login()
    browser.cookies.clear()
    browser.take(created.cookies)
    const { session } = await app.nodes[1].store.read(`other=1; ${browser.header}; __Host-asx=2`)
    expect(session).toMatchObject({
      subject: 'u-1',
      sid: 's-1',
      authTime: START - 5,
      startedAt: START,
      data: { name: 'Ada' },
      tokens: { accessToken: 'access-1', idToken: 'id', scope: 'openid' },
    })
    expect(await app.nodes[1].store.read('other=1')).toEqual({ absent: 'none', clear: [] })
  })

  test('40: a logout at one node ends the session at the other, and its cookies are taken away', async () => {
    const app = await open()
    const browser = await app.login()
    expect((await app.logout({ sid: 's-1' }, 0)).status).toBe(200)
    const read = await app.nodes[1].store.read(browser.header)
    expect(read.absent).toBe('ended')
    browser.take(read.clear)
    expect(browser.cookies.size).toBe(0)
  })

  test('41: a logout before the login is stored makes the login come to nothing', async () => {
    const app = await open()
    await app.logout({ sid: 's-1' }, 1)
    const tokens = app.op.issue()
    const startedAt = app.clock.now() - 5_000
    const { store } = app.nodes[0]
    expect(await store.create({ subject: 'u-1', sid: 's-1', startedAt, tokens })).toEqual({
      outcome: 'ended',
    })
    await app.logout({ sub: 'u-1' }, 1)
    expect(await store.create({ subject: 'u-1', sid: 's-2', startedAt, tokens })).toEqual({
      outcome: 'ended',
    })
    await store.end({ before: app.clock.now() })
    expect(await store.create({ subject: 'u-2', startedAt, tokens })).toEqual({ outcome: 'ended' })
    expect(app.op.revoked).toEqual([tokens.refreshToken, tokens.refreshToken, tokens.refreshToken])
  })

  test('41: a logout while the login is being stored ends it, whichever comes first', async () => {
    const app = await open()
    for (let round = 0; round < 20; round++) {
      const sid = `s-${round}`
      const [created] = await Promise.all([
        app.nodes[0].store.create({ subject: 'u-1', sid, tokens: app.op.issue() }),
        app.nodes[1].store.end({ sid }),
      ])
      if (created.outcome !== 'created') continue
      const browser = await app.login(0, { sid: `other-${round}` })
      browser.cookies.clear()
      browser.take(created.cookies)
      expect(await app.who(browser, 1)).toBe('ended')
    }
  })

  test('42: a logout ends what it is about, a later login stands, and an old cookie stays dead', async () => {
    const app = await open()
    const [a, b] = [await app.login(0, { sid: 's-a' }), await app.login(1, { sid: 's-b' })]
    app.clock.advance(5_000)
    await app.logout({ sid: 's-a', sub: 'u-1' })
    expect([await app.who(a, 1), await app.who(b)]).toEqual(['ended', 'u-1'])
    await app.logout({ sub: 'u-1' })
    expect(await app.who(b, 1)).toBe('ended')
    app.clock.advance(1_000)
    const c = await app.login(0, { sid: 's-c' })
    expect([await app.who(c, 1), await app.who(b, 0), await app.who(a, 0)]).toEqual(['u-1', 'ended', 'ended'])
  })

  test('42: a retried logout of a user ends what began until it happened, and no session that came later', async () => {
    const app = await open()
    const old = await app.login(0, { sid: 's-1' })
    const toe = app.clock.now() / 1_000 + 0.5
    app.clock.advance(900)
    const later = await app.login(1, { sid: 's-2' })
    app.clock.advance(30_000)
    expect((await app.logout({ sub: 'u-1', toe })).status).toBe(200)
    expect([await app.who(old), await app.who(later)]).toEqual(['ended', 'u-1'])
  })

  test('44: a token that comes again, or twenty times at once, ends once; another one with its id is refused', async () => {
    const app = await open()
    await app.login()
    const claims = app.op.logoutClaims({ sid: 's-1' })
    const token = await app.op.sign(claims)
    const ended: unknown[] = []
    for (const { store } of app.nodes) store.on('ended', (event) => ended.push(event))
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => (await app.post(token, n % 2)).status),
    )
    expect(statuses).toEqual(Array(20).fill(200))
    const told = ended.length
    expect((await app.post(token, 1)).status).toBe(200)
    expect(ended).toHaveLength(told)
    const other = await app.op.sign({ ...claims, sid: 's-2' })
    expect((await app.post(other, 0)).status).toBe(400)
  })

  test('45: a store that is down while ending is told, and the same token works afterwards', async () => {
    let isDown = false
    const over = (state: TokenStoreState): TokenStoreState => ({
      ...state,
      actionTokens: replaced(state.actionTokens, {
        revoke: (...args) =>
          isDown
            ? Promise.reject(new StoreUnavailableError('away', { applied: 'no' }))
            : state.actionTokens.revoke(...args),
      }),
    })
    const app = await open({ over, receivers: { onError: () => {} } })
    const browser = await app.login()
    const token = await app.op.sign(app.op.logoutClaims({ sid: 's-1' }))
    isDown = true
    const failed = await app.post(token)
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '5'])
    isDown = false
    expect((await app.post(token)).status).toBe(200)
    expect(await app.who(browser, 1)).toBe('ended')
  })

  test('46: two hundred requests on two nodes with a token at its end make one call, and none fails', async () => {
    const app = await open()
    const browser = await app.login()
    app.clock.advance(60_000)
    const gate = new Gate()
    app.op.gate = gate
    const storm = Array.from({ length: 200 }, (_, n) => app.token(browser.copy(), n % 2))
    await gate.arrival
    gate.open()
    const outcomes = await Promise.all(storm)
    const tokens = outcomes.map((outcome) => (outcome.outcome === 'token' ? outcome.token : outcome.outcome))
    expect(new Set(tokens)).toEqual(new Set(['access-2']))
    expect(app.op.asked).toEqual(['refresh-1'])
  })

  test('47: who dies while it asks for tokens is followed after its lease; without grace the session ends, once', async () => {
    for (const hasGrace of [true, false]) {
      const app = await open()
      app.op.hasGrace = hasGrace
      const browser = await app.login()
      app.clock.advance(60_000)
      // The first leader got an answer and died with it.
      const { session } = await app.nodes[0].store.read(browser.header)
      await app.op.refresh(session?.tokens as never)
      const dead = new Gate()
      app.op.gate = dead
      const lost = app.token(browser.copy(), 0, { deadlineMs: 50 })
      await dead.arrival
      expect((await lost).outcome).toBe('unavailable')
      app.op.gate = undefined
      expect((await app.token(browser.copy(), 1, { deadlineMs: 50 })).outcome).toBe('unavailable')
      app.clock.advance(11_000)
      const next = await app.token(browser, 1)
      expect(next.outcome).toBe(hasGrace ? 'token' : 'ended')
      const calls = app.op.asked.length
      const again = await app.token(browser, 1)
      expect(again.outcome).toMatch(hasGrace ? /^token$/ : /^(absent|ended)$/)
      expect(app.op.asked).toHaveLength(calls)
      dead.open()
    }
  })

  test('48: a logout while tokens are got leaves the session gone, and the new refresh token revoked', async () => {
    const app = await open()
    const browser = await app.login()
    app.clock.advance(60_000)
    const gate = new Gate()
    app.op.gate = gate
    const late: unknown[] = []
    app.nodes[0].store.on('refresh-late', (event) => late.push(event.type))
    const refreshing = app.token(browser.copy(), 0)
    await gate.arrival
    await app.logout({ sid: 's-1' }, 1)
    gate.open()
    expect((await refreshing).outcome).toBe('ended')
    expect(app.op.revoked).toEqual(['refresh-2'])
    expect(late).toEqual(['refresh-late'])
    expect([await app.who(browser, 0), await app.who(browser, 1)]).toEqual(['ended', 'ended'])
  })

  test('a token that is good costs no call; one near its end is replaced while it is served', async () => {
    const app = await open()
    const browser = await app.login()
    expect(await app.token(browser)).toMatchObject({ outcome: 'token', token: 'access-1' })
    app.clock.advance(55_000)
    const gate = new Gate()
    app.op.gate = gate
    const leading = app.token(browser.copy())
    await gate.arrival
    for (const node of [0, 1])
      expect(await app.token(browser.copy(), node)).toMatchObject({ token: 'access-1' })
    gate.open()
    expect(await leading).toMatchObject({ token: 'access-2' })
    expect(app.op.asked).toHaveLength(1)
  })

  test('force and alwaysRefresh get another token, for requests at once the same', async () => {
    const app = await open()
    const browser = await app.login()
    const forced = await Promise.all(
      [0, 1, 0, 1].map((node) => app.token(browser.copy(), node, { force: true })),
    )
    expect(forced.map((outcome) => 'token' in outcome && outcome.token)).toEqual(Array(4).fill('access-2'))
    expect(app.op.asked).toHaveLength(1)
    const always = await open({ options: { alwaysRefresh: true } })
    const other = await always.login()
    expect(await always.token(other)).toMatchObject({ token: 'access-2' })
    expect(await always.token(other)).toMatchObject({ token: 'access-3' })
  })

  test('minTtlMs beyond the life of a new token is refused once, and asks once', async () => {
    const app = await open()
    const browser = await app.login()
    const asks = [0, 1, 0, 1].map((node) => app.token(browser.copy(), node, { minTtlMs: 60_000 }))
    for (const outcome of await Promise.all(asks))
      expect(outcome).toMatchObject({ outcome: 'refused', reason: 'ttl', retryable: false })
    expect(app.op.asked).toHaveLength(1)
  })

  test('a provider that is away is left alone for longer and longer, and the session stands', async () => {
    const app = await open()
    const browser = await app.login()
    app.op.fault = new Error('connect ECONNREFUSED')
    app.clock.advance(55_000)
    expect(await app.token(browser, 0)).toMatchObject({ outcome: 'token', token: 'access-1' })
    app.clock.advance(5_000)
    expect(await app.token(browser, 0)).toMatchObject({
      outcome: 'unavailable',
      retryable: true,
      retryAfterMs: 1_000 + 1_000 * (app.op.asked.length - 1),
    })
    const calls = app.op.asked.length
    expect(await app.token(browser, 1)).toMatchObject({ outcome: 'unavailable', retryable: true })
    expect(app.op.asked).toHaveLength(calls)
    app.op.fault = undefined
    app.clock.advance(2_000)
    expect(await app.token(browser, 1)).toMatchObject({ outcome: 'token', token: 'access-2' })
  })

  test('an error of the client is told as one that no repetition mends', async () => {
    const app = await open()
    const browser = await app.login()
    app.clock.advance(60_000)
    app.op.fault = Object.assign(new Error('no'), { error: 'invalid_client' })
    expect(await app.token(browser)).toMatchObject({ outcome: 'unavailable', retryable: false })
    expect(await app.who(browser)).toBe('u-1')
  })

  test('a nonce that the provider wants is given once', async () => {
    const app = await open()
    const browser = await app.login()
    app.clock.advance(60_000)
    app.op.fault = Object.assign(new Error('no'), { error: 'use_dpop_nonce' })
    expect((await app.token(browser)).outcome).toBe('unavailable')
    expect(app.op.asked).toHaveLength(2)
  })

  test('not-before refuses older tokens, which are replaced, and never falls', async () => {
    const app = await open()
    const [browser, without] = [
      await app.login(),
      await app.login(1, { sid: 's-2', tokens: app.op.issue({ refreshToken: undefined }) }),
    ]
    const [{ store }, { store: other }] = app.nodes
    const at = app.clock.now() + 400
    expect(await store.raiseNotBefore(at)).toBe(at)
    expect(await other.raiseNotBefore(at - 10_000)).toBe(at)
    expect(await app.who(without, 1)).toBe('not-before')
    app.clock.advance(500)
    expect(await app.token(browser, 1)).toMatchObject({ outcome: 'refused', reason: 'not-before' })
    app.clock.advance(1_000)
    expect(await app.token(browser, 1)).toMatchObject({ outcome: 'token' })
    app.op.extra = { notBefore: app.clock.now() - 20_000 }
    app.clock.advance(60_000)
    expect((await app.token(browser, 0)).outcome).toBe('token')
    expect(await store.raiseNotBefore(0)).toBe(at)
  })

  test('an update changes names and creates nothing; an end by its holder is one on all nodes', async () => {
    const app = await open()
    const browser = await app.login(0, { data: { a: '1', b: '2' } })
    const { session } = await app.nodes[0].store.read(browser.header)
    if (session === undefined) throw new Error('no session')
    const updated = await app.nodes[0].store.update(session, { data: { a: null, c: '3' } })
    browser.take(updated?.cookies ?? [])
    const again = await app.nodes[1].store.read(browser.header)
    expect(again.session?.data).toEqual({ b: '2', c: '3' })
    const { clear } = await app.nodes[0].store.end(session)
    expect(await app.who(browser, 1)).toBe('ended')
    expect(await app.nodes[0].store.update(session, { data: { d: '4' } })).toBeUndefined()
    browser.take(clear)
    expect(browser.cookies.size).toBe(0)
  })

  test('replaces: the session of before is ended by the login', async () => {
    const app = await open()
    const browser = await app.login()
    const { session } = await app.nodes[0].store.read(browser.header)
    await app.nodes[1].store.create({ subject: 'u-1', tokens: app.op.issue() }, { replaces: session })
    expect(await app.who(browser)).toBe('ended')
  })

  test('a session is gone at its end, and reading does not move that', async () => {
    const app = await open({ options: { sessionMs: 10_000 } })
    const browser = await app.login()
    app.clock.advance(9_999)
    expect(await app.who(browser, 1)).toBe('u-1')
    app.clock.advance(1)
    expect(await app.who(browser, 1)).toBe('expired')
  })

  test('a front-channel logout ends the session of the browser, and leaves no mark for one that is not there', async () => {
    const app = await open()
    const browser = await app.login()
    const ask = (query: string, cookie = '') =>
      app.nodes[0].receivers.frontChannelLogout(
        new Request(`https://shop.example.com/frontchannel?${query}`, { headers: { cookie } }),
      )
    const iss = encodeURIComponent('https://op.example.com')
    for (const bad of [
      'iss=https%3A%2F%2Fevil.example.com&sid=s-1',
      `iss=${iss}`,
      `iss=${iss}&sid=a&sid=b`,
      `iss=${iss}&sid=`,
    ])
      expect((await ask(bad, browser.header)).status).toBe(400)
    expect((await ask(`iss=${iss}&sid=s-9`, browser.header)).status).toBe(200)
    expect(await app.who(browser)).toBe('u-1')
    const late = await app.login(1, { sid: 's-9' })
    expect(await app.who(late)).toBe('u-1')
    const answer = await ask(`iss=${iss}&sid=s-1`, browser.header)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await app.who(browser, 1)).toBe('ended')
    browser.take(answer.headers.getSetCookie())
    expect(browser.cookies.size).toBe(0)
  })

  test('Keycloak: actions are heeded once, at exact paths, and a not-before only rises', async () => {
    const keycloak = {
      logout: '/app/k_logout',
      pushNotBefore: '/app/k_push_not_before',
      testAvailable: '/app/k_test_available',
    }
    const app = await open({ receivers: { keycloak } })
    const send = async (path: string, body: string) =>
      (
        await app.nodes[0].receivers.keycloakAdmin(
          new Request(`https://shop.example.com${path}`, { method: 'POST', body }),
        )
      ).status
    let ids = 0
    const action = (name: string, more: object = {}) => {
      ids += 1
      const expiration = Math.floor(app.clock.now() / 1_000) + 30
      return { id: `a-${ids}`, expiration, resource: 'shop', action: name, ...more }
    }
    const sign = (claims: object) => app.op.sign(claims, { typ: 'JWT' })
    expect(await send('/app/k_test_available', await sign(action('TEST_AVAILABILITY')))).toBe(204)
    expect(await send('/other/k_test_available', await sign(action('TEST_AVAILABILITY')))).toBe(404)
    const browser = await app.login()
    const { session } = await app.nodes[1].store.read(browser.header)
    for (const wrong of [
      { resource: 'other' },
      { expiration: 1 },
      { id: '' },
      { action: 'LOGOUT' },
      { expiration: 1e10 },
    ])
      expect(
        await send('/app/k_test_available', await sign({ ...action('TEST_AVAILABILITY'), ...wrong })),
      ).toBe(400)
    expect(await send('/app/k_logout', 'a.b.c')).toBe(401)
    expect(await send('/app/k_logout', 'x'.repeat(70_000))).toBe(400)
    const logout = await sign(action('LOGOUT', { adapterSessionIds: [session?.id] }))
    expect(await send('/app/k_logout', logout)).toBe(204)
    expect(await app.who(browser, 1)).toBe('ended')
    const at = app.clock.now()
    const old = await sign(action('PUSH_NOT_BEFORE', { notBefore: at / 1_000 - 100 }))
    expect(
      await send('/app/k_push_not_before', await sign(action('PUSH_NOT_BEFORE', { notBefore: at / 1_000 }))),
    ).toBe(204)
    expect(await send('/app/k_push_not_before', old)).toBe(204)
    expect(await app.nodes[1].store.raiseNotBefore(0)).toBe(at)
    const [one, two] = [await app.login(0, { sid: 's-3' }), await app.login(1, { sid: 's-4' })]
    expect(await send('/app/k_logout', await sign(action('LOGOUT', { keycloakSessionIds: ['s-3'] })))).toBe(
      204,
    )
    expect([await app.who(one), await app.who(two)]).toEqual(['ended', 'u-1'])
    const all = await sign(action('LOGOUT', { notBefore: at / 1_000 }))
    expect(await send('/app/k_logout', all)).toBe(204)
    expect(await app.who(two, 1)).toBe('ended')
    app.clock.advance(2_000)
    const next = await app.login(0, { sid: 's-5' })
    expect(await send('/app/k_logout', all)).toBe(204)
    expect(await app.who(next, 1)).toBe('u-1')
  })

  test('no token, cookie or sid is in any log', async () => {
    const app = await open()
    const browser = await app.login()
    app.op.fault = new Error('refresh-1 was refused')
    app.clock.advance(60_000)
    await app.token(browser)
    await app.nodes[0].receivers.backChannelLogout(logoutRequest('logout_token=access-1'))
    const logged = JSON.stringify(app.logger.entries)
    for (const secret of ['access-', 'refresh-1', 's-1', ...browser.cookies.values()])
      expect(logged).not.toContain(secret)
  })
}
