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
  tabId: 'tab-1',
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
    expect(cookies.readRestart('r', headerOf(cookies.restart('r', { tabId: 't', clientId: 'c' })))).toEqual({
      tabId: 't',
      clientId: 'c',
    })
  })

  test('keeps client notes of any name', () => {
    const clientNotes = JSON.parse('{"constructor":"a","prototype":"b","toString":"c"}') as Record<
      string,
      string
    >
    const header = headerOf(cookies.restart('r', { ...data, clientNotes }))
    expect(Object.entries(cookies.readRestart('r', header)?.clientNotes ?? {})).toEqual(
      Object.entries(clientNotes),
    )
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
    for (const sent of [...forged, `${header}.x`, `${header}A`, `KC_RESTART=${'a'.repeat(1_000_000)}`]) {
      expect(cookies.readRestart('r', sent)).toBeUndefined()
    }
  })

  test('outlives a rotation of keys until the old one is taken away', () => {
    const header = headerOf(cookies.restart('r', data))
    expect(createLoginCookies({ keyring: keyring('b', 'a', 'b') }).readRestart('r', header)).toEqual(data)
    expect(createLoginCookies({ keyring: keyring('b', 'b') }).readRestart('r', header)).toBeUndefined()
  })

  test('that a browser would not keep is not made', () => {
    expect(
      cookies.restart('r', { tabId: 't', clientId: 'c', clientNotes: { state: 'x'.repeat(2_800) } }),
    ).toBeDefined()
    expect(
      cookies.restart('r', { tabId: 't', clientId: 'c', clientNotes: { state: 'x'.repeat(3_100) } }),
    ).toBeUndefined()
  })

  test('of several cookies of the name the first that was signed here counts', () => {
    const own = headerOf(cookies.restart('r', data))
    const foreign = headerOf(cookies.restart('other', { ...data, clientId: 'other' }))
    const later = headerOf(cookies.restart('r', { ...data, tabId: 'tab-2' }))
    for (const before of ['KC_RESTART=', 'KC_RESTART=junk', foreign, `${own}x`, 'KC_RESTART="']) {
      expect(cookies.readRestart('r', `${before}; ${own}`)).toEqual(data)
      expect(cookies.readRestart('r', `a=b;${before};${own}; ${later}; c=d`)).toEqual(data)
    }
    const many = (count: number) => Array.from({ length: count }, () => 'KC_RESTART=junk').join('; ')
    expect(cookies.readRestart('r', `${many(15)}; ${own}`)).toEqual(data)
    expect(cookies.readRestart('r', `${many(16)}; ${own}`)).toBeUndefined()
  })

  test('is passed over in another tab than the one that has set it', () => {
    const header = headerOf(cookies.restart('r', data))
    const later = headerOf(cookies.restart('r', { ...data, tabId: 'tab-2' }))
    expect(cookies.readRestart('r', header, 'tab-1')).toEqual(data)
    expect(cookies.readRestart('r', header, 'tab-2')).toBeUndefined()
    expect(cookies.readRestart('r', `${header}; ${later}`, 'tab-2')?.tabId).toBe('tab-2')
    expect(() => cookies.readRestart('r', header, '')).toThrow(/"tabId"/)
  })

  test('a SameSite of choice, which browsers keep', () => {
    for (const sameSite of ['strict', 'lax', 'none'] as const) {
      const chosen = createLoginCookies({ keyring: keyring('a', 'a'), sameSite })
      for (const header of [chosen.restart('r', data), chosen.clearRestart(), chosen.hash('A'.repeat(24))]) {
        expect(parseSetCookie(header ?? '').sameSite).toBe(sameSite)
      }
    }
    const open = { keyring: keyring('a', 'a'), secure: false, sameSite: 'none' } as const
    expect(() => createLoginCookies(open)).toThrow(/"sameSite".*"secure"/)
    expect(() => createLoginCookies({ ...open, sameSite: 'Lax' as never })).toThrow(
      /"sameSite" must be one of/,
    )
  })

  test('misuse names the argument', () => {
    const wrong = [
      {},
      { tabId: 't', clientId: '' },
      { clientId: 'c' },
      { tabId: '', clientId: 'c' },
      { tabId: 't', clientId: 'c', clientNotes: { n: 1 } },
      { tabId: 't', clientId: 'c', secret: 'canary' },
    ]
    for (const given of wrong) {
      expect(() => cookies.restart('r', given as never)).toThrow(/^"data"(?!.*canary)/)
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
