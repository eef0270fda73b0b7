import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { createCookieTokenStore, createReceivers, type ReceiverOptions } from '../src/index.js'
import { Application, CLIENT, ISSUER, KEYRING, logoutRequest, ScriptedProvider } from './support.js'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

describe('43: logout tokens', () => {
  const open = (receivers: Partial<ReceiverOptions> = {}) => Application.open({ kind: 'session', receivers })

  /** What is changed of a good one, so that it is none. */
  const bad: readonly (readonly [string, (seconds: number) => { claims?: object; header?: object }])[] = [
    ['another issuer', () => ({ claims: { iss: 'https://evil.example.com' } })],
    ['another audience', () => ({ claims: { aud: 'other' } })],
    ['a list of other audiences', () => ({ claims: { aud: ['other'] } })],
    ['exp past', (now) => ({ claims: { exp: now - 31 } })],
    ['no exp', () => ({ claims: { exp: undefined } })],
    ['exp of another type', () => ({ claims: { exp: '9999999999' } })],
    ['iat in the future', (now) => ({ claims: { iat: now + 60 } })],
    ['iat long ago', (now) => ({ claims: { iat: now - 700 } })],
    ['no iat', () => ({ claims: { iat: undefined } })],
    ['no events', () => ({ claims: { events: undefined } })],
    ['events as a list', () => ({ claims: { events: [EVENT] } })],
    ['another event', () => ({ claims: { events: { other: {} } } })],
    ['an event that is null', () => ({ claims: { events: { [EVENT]: null } } })],
    ['an event that is a text', () => ({ claims: { events: { [EVENT]: '' } } })],
    ['a nonce', () => ({ claims: { nonce: 'n' } })],
    ['neither sub nor sid', () => ({ claims: { sid: undefined } })],
    ['an empty sid', () => ({ claims: { sid: '' } })],
    ['a sid that is a number', () => ({ claims: { sid: 1, sub: 'u-1' } })],
    ['a sid of 513 characters', () => ({ claims: { sid: 's'.repeat(513) } })],
    ['no jti', () => ({ claims: { jti: undefined } })],
    ['typ at+jwt', () => ({ header: { typ: 'at+jwt' } })],
    ['typ secevent+jwt', () => ({ header: { typ: 'secevent+jwt' } })],
    ['an unknown key', () => ({ header: { kid: 'other' } })],
  ]

  test('each that is not one gets the same answer, and changes nothing', async () => {
    const app = await open()
    const browser = await app.login()
    const now = Math.floor(app.clock.now() / 1_000)
    for (const [name, change] of bad) {
      const { claims = {}, header = {} } = change(now)
      const answer = await app.logout({ sid: 's-1', ...claims }, 0, header)
      expect([name, answer.status, await answer.text()]).toEqual([name, 400, '{"error":"invalid_request"}'])
    }
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
    const good = app.op.logoutClaims({ sid: 's-1' })
    const { keys } = await ScriptedProvider.keys()
    const symmetric = await new SignJWT(good)
      .setProtectedHeader({ alg: 'HS256', typ: 'logout+jwt', kid: 'op-1' })
      .sign(Buffer.from(JSON.stringify(keys[0])))
    const idToken = await app.op.sign({ ...good, events: undefined, nonce: 'n', sub: 'u-1' }, { typ: 'JWT' })
    const signed = await app.op.sign(good)
    const requests = [
      logoutRequest(new URLSearchParams({ logout_token: `${encode({ alg: 'none' })}.${encode(good)}.` })),
      logoutRequest(new URLSearchParams({ logout_token: symmetric })),
      logoutRequest(new URLSearchParams({ logout_token: idToken })),
      logoutRequest(new URLSearchParams({ logout_token: `${signed}x` })),
      logoutRequest(
        new URLSearchParams([
          ['logout_token', signed],
          ['logout_token', signed],
        ]),
      ),
      logoutRequest(new URLSearchParams({ other: signed })),
      logoutRequest(new URLSearchParams({ logout_token: 'x'.repeat(100_000) })),
      logoutRequest(JSON.stringify({ logout_token: signed }), {
        headers: { 'content-type': 'application/json' },
      }),
      new Request(`https://shop.example.com/logout?logout_token=${signed}`),
    ]
    for (const request of requests) {
      const answer = await app.nodes[0].receivers.backChannelLogout(request)
      expect([answer.status, await answer.text()]).toEqual([400, '{"error":"invalid_request"}'])
    }
    expect(await app.who(browser)).toBe('u-1')
    const answer = await app.post(signed)
    expect([answer.status, answer.headers.get('cache-control'), await answer.text()]).toEqual([
      200,
      'no-store',
      '',
    ])
    expect(await app.who(browser)).toBe('ended')
  })

  test('a good one of whatever kind is heeded: JWT, no typ, a list of audiences, other parameters', async () => {
    const app = await open()
    for (const header of [{ typ: 'JWT' }, { typ: undefined }, { typ: 'application/logout+jwt' }])
      expect((await app.logout({ sid: 's', aud: ['a', CLIENT] }, 0, header)).status).toBe(200)
    const token = await app.op.sign(app.op.logoutClaims({ sub: 'u-1' }))
    const body = new URLSearchParams({ logout_token: token, more: '1' })
    expect((await app.nodes[0].receivers.backChannelLogout(logoutRequest(body))).status).toBe(200)
  })

  test('types and requireExp are what the application says', async () => {
    const strict = await open({ types: ['logout+jwt'] })
    expect((await strict.logout({ sid: 's' }, 0, { typ: 'JWT' })).status).toBe(400)
    const old = await open({ requireExp: false })
    expect((await old.logout({ sid: 's', exp: undefined })).status).toBe(200)
  })

  test('unknown keys are got at most once in ten seconds, and keys that cannot be got are no fault of the sender', async () => {
    let [asked, isAway] = [0, true]
    const app = await open({
      onError: () => {},
      keys: async () => {
        asked += 1
        if (isAway) throw new Error('away')
        return ScriptedProvider.keys()
      },
    })
    expect((await app.logout({ sid: 's' })).status).toBe(503)
    isAway = false
    app.clock.advance(10_000)
    expect((await app.logout({ sid: 's' })).status).toBe(200)
    for (let n = 0; n < 3; n++)
      expect((await app.logout({ sid: 's' }, 0, { kid: `k-${n}` })).status).toBe(400)
    expect(asked).toBe(2)
    app.clock.advance(10_000)
    for (let n = 0; n < 3; n++)
      expect((await app.logout({ sid: 's' }, 0, { kid: `k-${n}` })).status).toBe(400)
    expect(asked).toBe(3)
  })

  test('an action of Keycloak is no logout token, and a logout token is no action', async () => {
    const app = await open({ keycloak: { logout: '/k_logout' } })
    const signed = await app.op.sign(app.op.logoutClaims({ sid: 's-1' }))
    const request = new Request('https://shop.example.com/k_logout', { method: 'POST', body: signed })
    expect((await app.nodes[0].receivers.keycloakAdmin(request)).status).toBe(400)
    const action = { id: 'a', expiration: Date.now() / 1_000, resource: CLIENT, action: 'LOGOUT' }
    expect((await app.post(await app.op.sign(action))).status).toBe(400)
  })

  test('options that cannot work are refused by name', async () => {
    const app = await open()
    const { store } = app.nodes[0]
    const good = {
      clientId: CLIENT,
      keys: { keys: [await exportJWK((await generateKeyPair('ES256')).publicKey)] },
    }
    const make = (options: object) => () => createReceivers(store, app.state, { ...good, ...options })
    for (const algorithms of [['none'], ['HS256'], []]) expect(make({ algorithms })).toThrow(/"algorithms"/)
    expect(make({ clientId: '' })).toThrow(/"clientId"/)
    expect(make({ keys: undefined })).toThrow(/"keys"/)
    expect(make({ keycloak: { logout: 'k_logout' } })).toThrow(/"keycloak.logout"/)
    expect(make({ unavailableStatus: 500 })).toThrow(/"unavailableStatus"/)
    expect(make({ algorithm: ['ES256'] })).toThrow(/algorithms/)
    const alone = createCookieTokenStore({ issuer: ISSUER, keyring: KEYRING })
    expect(() => createReceivers(alone, app.state, good)).toThrow(/needs a state/)
  })
})

describe('security events', () => {
  const REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
  const user = { format: 'iss_sub', iss: ISSUER, sub: 'u-1' }

  async function open() {
    const app = await Application.open({ kind: 'cookie' })
    let ids = 0
    const send = async (claims: object, header: object = {}, node: 0 | 1 = 0) => {
      ids += 1
      const iat = Math.floor(app.clock.now() / 1_000)
      const good = {
        iss: ISSUER,
        aud: CLIENT,
        iat,
        jti: `set-${ids}`,
        events: { [REVOKED]: {} },
        sub_id: user,
      }
      const body = await app.op.sign({ ...good, ...claims }, { typ: 'secevent+jwt', ...header })
      const post = () =>
        app.nodes[node].receivers.securityEvent(
          new Request('https://shop.example.com/events', {
            method: 'POST',
            body,
            headers: { 'content-type': 'application/secevent+jwt' },
          }),
        )
      return { answer: await post(), post }
    }
    return { app, send }
  }

  test('session-revoked ends the sessions of a user that began until it happened, or that of the provider', async () => {
    const { app, send } = await open()
    const old = await app.login(0, { sid: 's-1' })
    const happened = Math.floor(app.clock.now() / 1_000)
    app.clock.advance(5_000)
    const later = await app.login(1, { sid: 's-2' })
    const { answer, post } = await send({ events: { [REVOKED]: { event_timestamp: happened } } })
    expect([answer.status, await answer.text()]).toEqual([202, ''])
    expect([await app.who(old, 1), await app.who(later)]).toEqual(['ended', 'u-1'])
    expect((await post()).status).toBe(202)
    const sub_id = { format: 'complex', user, session: { format: 'opaque', id: 's-2' } }
    expect((await send({ sub_id }, {}, 1)).answer.status).toBe(202)
    expect(await app.who(later)).toBe('ended')
    expect((await send({ events: { 'https://example.com/other': {} } })).answer.status).toBe(202)
  })

  test('what is none is refused with the reason of RFC 8935, and ends nothing', async () => {
    const { app, send } = await open()
    const browser = await app.login()
    const wrong: readonly (readonly [object, object, string])[] = [
      [{ iss: 'https://evil.example.com' }, {}, 'invalid_issuer'],
      [{ aud: 'other' }, {}, 'invalid_audience'],
      [{}, { kid: 'other' }, 'invalid_key'],
      [{}, { typ: 'logout+jwt' }, 'invalid_request'],
      [{ jti: undefined }, {}, 'invalid_request'],
      [{ iat: undefined }, {}, 'invalid_request'],
      [{ events: { [REVOKED]: null } }, {}, 'invalid_request'],
      [{ sub_id: undefined }, {}, 'invalid_request'],
      [{ sub_id: { ...user, iss: 'https://evil.example.com' } }, {}, 'invalid_request'],
      [{ sub_id: { format: 'email', email: 'ada@example.com' } }, {}, 'invalid_request'],
    ]
    for (const [claims, header, err] of wrong) {
      const { answer } = await send(claims, header)
      expect([answer.status, await answer.json()]).toEqual([400, { err, description: '' }])
    }
    expect(await app.who(browser)).toBe('u-1')
  })
})
