import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import {
  assertKnown,
  assertName,
  assertOneOf,
  assertOptionalName,
  assertOptions,
  type Keyring,
  type Known,
} from '@authstate/spi'
import { type DerivedKey, deriveKeyring, isPlainObject } from '@authstate/spi/internal'
import { parseCookie, stringifySetCookie } from 'cookie'
import * as v from 'valibot'

/** A browser keeps no longer cookie, with its name and attributes. */
const MAX_COOKIE_BYTES = 4096

/** How long a page may compare itself with the login under way elsewhere. */
const HASH_MAX_AGE_S = 60

/** What a client asked for, enough to begin its login again when the root has ended. */
export interface RestartData {
  /** The tab of the request: a browser keeps one cookie of this kind, and the tab that was opened last has set it. */
  readonly tabId: string
  readonly clientId: string
  readonly redirectUri?: string | undefined
  readonly action?: string | undefined
  readonly protocol?: string | undefined
  readonly clientNotes?: Readonly<Record<string, string>> | undefined
}

/** What the cookies of a login are signed with, and where a browser sends them. */
export interface LoginCookieOptions {
  readonly keyring: Keyring
  /** @default '/' */
  readonly path?: string | undefined
  /** Left out: the host that set the cookie, and no other. */
  readonly domain?: string | undefined
  /** `false` only where a browser reaches the server without TLS. @default true */
  readonly secure?: boolean | undefined
  /**
   * `'strict'` does not reach a request that another site leads to, such as the way back from an identity provider: take `'lax'`
   * or, where it comes back by POST or in a frame, `'none'`, which browsers keep with `secure` only.
   *
   * @default 'strict'
   */
  readonly sameSite?: 'strict' | 'lax' | 'none' | undefined
}

/** The cookies of a login, except AUTH_SESSION_ID, which the sticky-session encoder makes. */
export interface LoginCookies {
  /**
   * A Set-Cookie header KC_RESTART: signed, not encrypted, for the browser session, `HttpOnly`.
   *
   * @returns `undefined` when the data does not fit into a cookie: then a lost login cannot be begun again.
   */
  restart(realmId: string, data: RestartData): string | undefined
  /**
   * What a Cookie header holds of {@link restart} for that realm; `undefined` for everything else.
   *
   * Of several cookies of the name (one for another path or domain, one that somebody else has set) the first that was signed
   * here counts, of the first 16.
   *
   * @param tabId The tab that the page is in. What another tab asked for is passed over then: it would lead this one to the
   *   wrong place.
   */
  readRestart(realmId: string, header: string | undefined, tabId?: string): RestartData | undefined
  /** A Set-Cookie header that removes what {@link restart} set. */
  clearRestart(): string
  /**
   * A Set-Cookie header KC_AUTH_SESSION_HASH, which scripts of the login page may read for 60 s, to
   * see whether another tab has begun a new login. It reveals nothing about the id.
   */
  hash(rootId: string): string
}

/** Base64 without padding of the SHA-256 of a root's id. */
export function authSessionHash(rootId: string): string {
  assertName(rootId, 'rootId')
  return createHash('sha256').update(rootId).digest('base64').replace(/=+$/, '')
}

const OPTIONS: Known<LoginCookieOptions> = {
  keyring: true,
  path: true,
  domain: true,
  secure: true,
  sameSite: true,
}
const RESTART_DATA: Known<RestartData> = {
  tabId: true,
  clientId: true,
  redirectUri: true,
  action: true,
  protocol: true,
  clientNotes: true,
}

/**
 * @throws {ConfigurationError} the keyring cannot work
 * @throws {TypeError} an option is unknown or wrong, such as `sameSite: 'none'` without `secure`
 */
export function createLoginCookies(options: LoginCookieOptions): LoginCookies {
  assertOptions(options, 'options', OPTIONS)
  const { keyring, path = '/', domain, secure = true, sameSite = 'strict' } = options
  assertOneOf(sameSite, 'sameSite', ['strict', 'lax', 'none'])
  if (sameSite === 'none' && !secure) {
    throw new TypeError(`"sameSite" must not be 'none' without "secure": browsers drop such a cookie`)
  }
  const derived = deriveKeyring(keyring, 'restart cookie signature')
  const attributes = { path, secure, sameSite, ...(domain !== undefined && { domain }) } as const
  const plain = { encode: (text: string) => text }
  const setRestart = (value: string, life?: { maxAge: number; expires: Date }) =>
    stringifySetCookie({ name: RESTART, value, ...attributes, httpOnly: true, ...life }, plain)

  /** What was signed here for the realm. */
  const verified = (realmId: string, value: string): RestartData | undefined => {
    if (value.length > MAX_COOKIE_BYTES) return undefined
    const [payload = '', signature = '', ...rest] = value.split('.')
    const presented = Buffer.from(signature)
    let fits = false
    for (const key of derived.all) {
      const expected = Buffer.from(signatureOf(key, realmId, payload))
      fits = (presented.length === expected.length && timingSafeEqual(presented, expected)) || fits
    }
    return fits && rest.length === 0 ? decodePayload(payload) : undefined
  }

  return {
    restart: (realmId, data) => {
      assertName(realmId, 'realmId')
      assertKnown(data, 'data', RESTART_DATA)
      const checked = v.safeParse(restartData, data)
      if (!checked.success)
        throw new TypeError(`"data" must be what a client asked for: ${whatIsWrong(checked)}`)
      const payload = Buffer.from(JSON.stringify(checked.output)).toString('base64url')
      const header = setRestart(`${payload}.${signatureOf(derived.current, realmId, payload)}`)
      return Buffer.byteLength(header) > MAX_COOKIE_BYTES ? undefined : header
    },
    readRestart: (realmId, header, tabId) => {
      assertName(realmId, 'realmId')
      assertOptionalName(tabId, 'tabId')
      for (const value of valuesOf(header).slice(0, MAX_CANDIDATES)) {
        const data = verified(realmId, value)
        if (data !== undefined && (tabId === undefined || data.tabId === tabId)) return data
      }
      return undefined
    },
    clearRestart: () => setRestart('', { maxAge: 0, expires: new Date(0) }),
    hash: (rootId) =>
      stringifySetCookie(
        { name: HASH, value: authSessionHash(rootId), ...attributes, maxAge: HASH_MAX_AGE_S },
        plain,
      ),
  }
}

const RESTART = 'KC_RESTART'
const HASH = 'KC_AUTH_SESSION_HASH'

/** Cookies of the name that are looked at. */
const MAX_CANDIDATES = 16

/** Every value of KC_RESTART in a Cookie header, in its order. */
function valuesOf(header: string | undefined): string[] {
  if (typeof header !== 'string') return []
  return header.split(';').flatMap((pair) => parseCookie(pair)[RESTART] ?? [])
}

/** Notes may have any name; a record of valibot passes over some. */
const isTexts = (value: unknown): boolean =>
  isPlainObject(value) && Object.values(value).every((text) => typeof text === 'string')

const restartData = v.strictObject({
  tabId: v.pipe(v.string(), v.minLength(1)),
  clientId: v.pipe(v.string(), v.minLength(1)),
  redirectUri: v.optional(v.string()),
  action: v.optional(v.string()),
  protocol: v.optional(v.string()),
  clientNotes: v.optional(v.custom<Readonly<Record<string, string>>>(isTexts)),
})

function signatureOf({ secret }: DerivedKey, realmId: string, payload: string): string {
  return createHmac('sha512', secret)
    .update(JSON.stringify([realmId, payload]))
    .digest('base64url')
}

/** What was signed may have been signed by another version. */
function decodePayload(payload: string): RestartData | undefined {
  try {
    const parsed = v.safeParse(restartData, JSON.parse(Buffer.from(payload, 'base64url').toString()))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

function whatIsWrong({ issues }: v.SafeParseResult<typeof restartData> & { success: false }): string {
  return [
    ...new Set(issues.map(({ path, type }) => `${path === undefined ? 'it' : String(path[0].key)}: ${type}`)),
  ].join(', ')
}
