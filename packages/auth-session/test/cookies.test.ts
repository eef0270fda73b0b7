import { createHash } from 'node:crypto'
import { parseSetCookie } from 'cookie'
import { describe, expect, test } from 'vitest'
import { authSessionHash, createLoginCookies, type RestartData } from '../src/index.js'

const secretOf = (id: string) => id.repeat(64)
const keyring = (current: string, ...ids: string[]) => ({
  current,
  keys: Object.fromEntries(ids.map((id) => [id, secretOf(id)])),
})
const cookies = createLoginCookies({ keyring: keyring('a', 'a') })

const data: RestartData = {
  clientId: 'web:app 💥',
  redirectUri: 'https://app.example/cb?x=é',
  action: 'AUTHENTICATE',
  protocol: 'openid-connect',
  clientNotes: { scope: 'openid', state: '"; Path=/x' },
}
const headerOf = (setCookie: string | undefined) => (setCookie ?? '').split(';')[0] as string

describe('KC_RESTART [§4.7]', () => {
  test('comes back as it was, for its realm only', () => {
    const header = headerOf(cookies.restart('r', data))
    expect(cookies.readRestart('r', header)).toEqual(data)
    expect(cookies.readRestart('r', `x=y; ${header}; z=1`)).toEqual(data)
    expect(cookies.readRestart('other', header)).toBeUndefined()
    expect(cookies.readRestart('r', headerOf(cookies.restart('r', { clientId: 'c' })))).toEqual({
      clientId: 'c',
    })
  })

  test('is for the browser session: HttpOnly, Secure, SameSite=Strict', () => {
    const { value, ...rest } = parseSetCookie(cookies.restart('r', data) ?? '')
    const attributes = { httpOnly: true, secure: true, sameSite: 'strict' }
    expect(rest).toEqual({ name: 'KC_RESTART', path: '/', ...attributes })
    expect(value).toMatch(/^[\w-]+\.[\w-]{86}$/)
    const configured = createLoginCookies({
      keyring: keyring('a', 'a'),
      path: '/realms/r',
      domain: 'login.example',
      secure: false,
    })
    expect(parseSetCookie(configured.clearRestart())).toEqual({
      name: 'KC_RESTART',
      value: '',
      path: '/realms/r',
      domain: 'login.example',
      httpOnly: true,
      sameSite: 'strict',
      maxAge: 0,
      expires: new Date(0),
    })
  })

  test('is nothing once anything in it is changed', () => {
    const header = headerOf(cookies.restart('r', data))
    const start = 'KC_RESTART='.length
    for (let at = start; at < header.length; at++) {
      const other = header[at] === 'A' ? 'B' : 'A'
      expect(cookies.readRestart('r', header.slice(0, at) + other + header.slice(at + 1))).toBeUndefined()
    }
    const payload = header.slice(start).split('.')[0]
    const forged = [undefined, '', 'KC_RESTART', 'KC_RESTART=', 'KC_RESTART=.', `KC_RESTART=${payload}`]
    for (const one of [...forged, `${header}.x`, `${header}A`, `KC_RESTART=${'a'.repeat(1_000_000)}`]) {
      expect(cookies.readRestart('r', one)).toBeUndefined()
    }
  })

  test('outlives a rotation of keys until the old one is taken away', () => {
    const header = headerOf(cookies.restart('r', data))
    expect(createLoginCookies({ keyring: keyring('b', 'a', 'b') }).readRestart('r', header)).toEqual(data)
    expect(createLoginCookies({ keyring: keyring('b', 'b') }).readRestart('r', header)).toBeUndefined()
  })

  test('that a browser would not keep is not made', () => {
    expect(cookies.restart('r', { clientId: 'c', clientNotes: { state: 'x'.repeat(2_800) } })).toBeDefined()
    expect(cookies.restart('r', { clientId: 'c', clientNotes: { state: 'x'.repeat(3_100) } })).toBeUndefined()
  })

  test('misuse names the argument', () => {
    const wrong = [
      {},
      { clientId: '' },
      { clientId: 'c', clientNotes: { n: 1 } },
      { clientId: 'c', secret: 'canary' },
    ]
    for (const one of wrong) {
      expect(() => cookies.restart('r', one as never)).toThrow(/^"data"(?!.*canary)/)
    }
    expect(() => cookies.restart('', data)).toThrow(/"realmId"/)
    expect(() => createLoginCookies({ keyring: { current: 'a', keys: { a: 'short' } } })).toThrow(/32 bytes/)
  })
})

describe('KC_AUTH_SESSION_HASH [§4.7]', () => {
  test('is the unpadded base64 of the SHA-256, for a minute, readable by scripts', () => {
    const id = 'A'.repeat(24)
    const digest = createHash('sha256').update(id).digest('base64')
    expect(digest).toMatch(/=$/)
    expect(authSessionHash(id)).toBe(digest.slice(0, -1))
    expect(parseSetCookie(cookies.hash(id))).toEqual({
      name: 'KC_AUTH_SESSION_HASH',
      value: digest.slice(0, -1),
      path: '/',
      secure: true,
      sameSite: 'strict',
      maxAge: 60,
    })
  })
})
