import { hkdfSync } from 'node:crypto'
import { FakeClock } from '@authstate/conformance'
import { compactDecrypt } from 'jose'
import { describe, expect, test } from 'vitest'
import { type CookieStoreOptions, createCookieTokenStore, type NewSession } from '../src/index.js'
import { Application, Browser, ISSUER, KEYRING, ScriptedProvider, START } from './support.js'

const clock = new FakeClock(START)
const op = new ScriptedProvider(clock)
const open = (options: Partial<CookieStoreOptions> = {}) =>
  createCookieTokenStore({ issuer: ISSUER, keyring: KEYRING, clock, ...options })

/** Roles as Keycloak's tokens have them. */
const roles = (count: number) =>
  Array.from({ length: count }, (_, n) => `realm-role-of-the-company-${n}`).join(' ')

async function login(store = open(), more: Partial<NewSession> = {}): Promise<Browser> {
  const browser = new Browser()
  const created = await store.create({ subject: 'u-1', tokens: op.issue(), ...more })
  if (created.outcome !== 'created') throw new Error(created.outcome)
  browser.take(created.cookies)
  return browser
}

describe('49: sessions in cookies', () => {
  test('2, 20 and 60 roles fit, 400 do not, and nothing is written then', async () => {
    const store = open()
    for (const count of [2, 20, 60]) {
      const created = await store.create({
        subject: 'u-1',
        tokens: op.issue({ accessToken: roles(count), idToken: roles(count) }),
        data: { roles: roles(count) },
      })
      if (created.outcome !== 'created') throw new Error(created.outcome)
      for (const cookie of created.cookies) expect(cookie.length).toBeLessThanOrEqual(3_800)
      const browser = new Browser()
      browser.take(created.cookies)
      expect((await store.read(browser.header)).session?.data).toEqual({ roles: roles(count) })
    }
    expect(await store.create({ subject: 'u-1', tokens: op.issue(), data: { roles: roles(400) } })).toEqual({
      outcome: 'too-large',
    })
  })

  test('the id token and then the access token are left out where there is no room', async () => {
    const store = open()
    const id = 'i'.repeat(9_000)
    const browser = await login(store, { tokens: op.issue({ accessToken: 'a'.repeat(4_000), idToken: id }) })
    const { session } = await store.read(browser.header)
    expect(session?.tokens).toMatchObject({ accessToken: 'a'.repeat(4_000) })
    expect(session?.tokens.idToken).toBeUndefined()
    const small = await login(store, { tokens: op.issue({ accessToken: 'a'.repeat(9_000) }) })
    const read = await store.read(small.header)
    expect(read.session?.tokens.accessToken).toBeUndefined()
    expect(read.session?.tokens.refreshToken).toMatch(/^refresh-/)
  })

  test('it grows and shrinks, and leaves no piece behind', async () => {
    const store = open()
    const browser = await login(store, { data: { roles: roles(120) } })
    const grown = [...browser.cookies.keys()].length
    const { session } = await store.read(browser.header)
    const small = await store.update(session as never, { data: { roles: null } })
    browser.take(small?.cookies ?? [])
    expect(browser.cookies.size).toBeLessThan(grown)
    expect((await store.read(browser.header)).session?.data).toEqual({})
  })

  test('pieces of two writes are never joined, in whatever order they come', async () => {
    const store = open()
    const [a, b] = [
      await login(store, { subject: 'u-a', data: { roles: roles(120) } }),
      await login(store, { subject: 'u-b', data: { roles: roles(120) } }),
    ]
    expect(a.cookies.size).toBeGreaterThan(1)
    for (const first of [a, b]) {
      const mixed = first.copy()
      for (const [name, value] of (first === a ? b : a).cookies)
        if (!name.endsWith('.0')) mixed.cookies.set(name, value)
      const read = await store.read(mixed.header)
      expect(read.absent).toBe('unreadable')
      mixed.take(read.clear)
      expect(mixed.cookies.size).toBe(0)
    }
    const swapped = a.copy()
    const [zero = '', one = ''] = [...a.cookies.values()]
    swapped.cookies.set('__Host-as.0', one).set('__Host-as.1', zero)
    expect((await store.read(swapped.header)).absent).toBe('unreadable')
  })

  test('a stale piece behind a shorter value is ignored and taken away; a cookie with a longer name is not ours', async () => {
    const store = open()
    const browser = await login(store)
    const stale = (await login(store, { data: { roles: roles(120) } })).cookies.get('__Host-as.1') ?? ''
    browser.cookies.set('__Host-as.1', stale).set('__Host-as-x', '1').set('__Host-as.10', 'x')
    const read = await store.read(browser.header)
    expect(read.session?.subject).toBe('u-1')
    expect(read.clear).toHaveLength(1)
    expect(read.clear[0]).toMatch(/^__Host-as\.1=;/)
    expect(await store.read('__Host-as-x=1; __Host-as.10=x')).toEqual({ absent: 'none', clear: [] })
  })

  test('what is damaged, foreign or of an old format is unreadable, and never an error', async () => {
    const store = open()
    const browser = await login(store)
    const value = browser.cookies.get('__Host-as.0') as string
    // Behind the count come eight characters of the id of the write, which a single piece is not compared with.
    for (let at = 9; at < value.length; at++) {
      const flipped = value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1)
      expect((await store.read(`__Host-as.0=${flipped}`)).absent).toBe('unreadable')
    }
    for (const junk of [
      '',
      '1',
      '1abcdefgh',
      '9abcdefghx',
      '1abcdefgh....',
      `1abcdefgh${'x'.repeat(3_000)}`,
      '%00',
      'a'.repeat(70_000),
    ])
      expect((await store.read(`__Host-as.0=${junk}`)).absent).toMatch(/unreadable|none/)
    const foreign = await login(open({ issuer: 'https://other.example.com' }))
    expect((await store.read(foreign.header)).absent).toBe('unreadable')
  })

  test('an old key is still read and the new one writes; without it the cookie is unreadable', async () => {
    const browser = await login()
    const keys = { ...KEYRING.keys, k2: 'another secret of the tests, 32 bytes' }
    const rotated = open({ keyring: { current: 'k2', keys } })
    const { session } = await rotated.read(browser.header)
    const updated = await rotated.update(session as never, { data: { a: '1' } })
    const next = new Browser()
    next.take(updated?.cookies ?? [])
    const only = open({ keyring: { current: 'k2', keys: { k2: keys.k2 } } })
    expect((await only.read(next.header)).session?.data).toEqual({ a: '1' })
    expect((await only.read(browser.header)).absent).toBe('unreadable')
  })

  test('two tabs that refresh with one cookie get the same successor; after resultMs it is over', async () => {
    const app = await Application.open({ kind: 'cookie' })
    const browser = await app.login()
    app.clock.advance(60_000)
    const late = browser.copy()
    const [one, two] = [browser.copy(), browser.copy()]
    expect([await app.token(one, 0), await app.token(two, 1)]).toMatchObject([
      { token: 'access-2' },
      { token: 'access-2' },
    ])
    expect(app.op.asked).toHaveLength(1)
    app.clock.advance(31_000)
    expect((await app.token(late, 1)).outcome).toBe('ended')
    expect(await app.token(two, 0)).toMatchObject({ token: 'access-2' })
  })

  test('the value is a JWE that another library opens, and the state holds nothing that is readable', async () => {
    const app = await Application.open({ kind: 'cookie' })
    const browser = await app.login()
    const jwe = (browser.cookies.get('__Host-as.0') as string).slice(9)
    const header = JSON.parse(Buffer.from(jwe.split('.')[0] as string, 'base64url').toString()) as Record<
      string,
      string
    >
    expect(header).toMatchObject({ alg: 'dir', enc: 'A256GCM', kid: 'k1' })
    const purpose = JSON.stringify([ISSUER, 'tokens', '__Host-as'])
    const secret = hkdfSync('sha512', KEYRING.keys.k1, '', `authstate token-store ${purpose}`, 64)
    const salt = Buffer.from(header['salt'] as string, 'base64url')
    const key = new Uint8Array(hkdfSync('sha256', new Uint8Array(secret), salt, `as cookie ${purpose}`, 32))
    const { plaintext } = await compactDecrypt(jwe, key)
    expect(JSON.parse(new TextDecoder().decode(plaintext))).toMatchObject({ v: 1, s: 'u-1' })
  })

  test('without a state it ends nothing that it does not hold, and says so', async () => {
    const store = open({ refresh: op.refresh })
    const browser = await login(store)
    expect(store.describe()).toMatchObject({ kind: 'cookie', shared: false, revocable: false })
    await expect(store.end({ sid: 's-1' })).rejects.toThrow(/needs a state/)
    await expect(store.sessionsOf({ subject: 'u-1' })).rejects.toThrow(/cannot be listed/)
    const { session } = await store.read(browser.header)
    const { ended, clear } = await store.end(session as never)
    expect(ended).toBe('unknown')
    browser.take(clear)
    expect(browser.cookies.size).toBe(0)
  })

  test('cookies that browsers drop are refused by name', () => {
    const wrong = (cookie: object) => () => open({ cookie: cookie as never })
    expect(wrong({ name: '__Host-a', secure: false })).toThrow(/"cookie.name"/)
    expect(wrong({ name: '__Host-a', domain: 'example.com' })).toThrow(/"cookie.name"/)
    expect(wrong({ name: 'a b' })).toThrow(/"cookie.name"/)
    expect(wrong({ domain: 'a;b' })).toThrow(/"cookie.domain"/)
    expect(wrong({ sameSite: 'none' })).toThrow(/"cookie.sameSite"/)
    expect(() => open({ keep: ['refresh', 'acces'] as never })).toThrow(/"keep\[1\]"/)
    expect(() => open({ maxPieces: 5 })).toThrow(/"maxPieces"/)
    expect(() => open({ keyring: { current: 'k', keys: { k: 'short' } } })).toThrow(/32 bytes/)
  })
})
