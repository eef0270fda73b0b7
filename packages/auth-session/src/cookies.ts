import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { assertName, assertObject, type DerivedKey, deriveKeyring, type Keyring } from '@authstate/spi'
import { parseCookie, stringifySetCookie } from 'cookie'
import { z } from 'zod'

/** A browser keeps no longer cookie, with its name and attributes. */
const MAX_COOKIE_BYTES = 4096

/** How long a page may compare itself with the login under way elsewhere. */
const HASH_MAX_AGE_S = 60

/** What a client asked for, enough to begin its login again when the root is gone. */
export interface RestartData {
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
}

/** The cookies of a login besides AUTH_SESSION_ID, which the sticky-session encoder makes. */
export interface LoginCookies {
  /**
   * A Set-Cookie header KC_RESTART: signed, not encrypted, for the browser session, `HttpOnly`, `SameSite=Strict`.
   *
   * @returns `undefined` when the data does not fit into a cookie: then a lost login can not be begun again.
   */
  restart(realmId: string, data: RestartData): string | undefined
  /** What a Cookie header holds of {@link restart} for that realm; `undefined` for everything else. */
  readRestart(realmId: string, header: string | undefined): RestartData | undefined
  /** A Set-Cookie header that removes what {@link restart} set. */
  clearRestart(): string
  /**
   * A Set-Cookie header KC_AUTH_SESSION_HASH, which scripts of the login page may read for 60 s: has another tab
   * begun anew? It tells nothing about the id. `SameSite=Strict`.
   */
  hash(rootId: string): string
}

/** Base64 without padding of the SHA-256 of a root's id. */
export function authSessionHash(rootId: string): string {
  assertName(rootId, 'rootId')
  return createHash('sha256').update(rootId).digest('base64').replace(/=+$/, '')
}

/** @throws {ConfigurationError} the keyring can not work */
export function createLoginCookies(options: LoginCookieOptions): LoginCookies {
  assertObject(options, 'options')
  const { keyring, path = '/', domain, secure = true } = options
  const derived = deriveKeyring(keyring, 'restart cookie signature')
  const keys = Object.keys(keyring.keys).flatMap((id) => derived.find(id) ?? [])
  const attributes = { path, secure, sameSite: 'strict', ...(domain !== undefined && { domain }) } as const
  const plain = { encode: (text: string) => text }
  const setRestart = (value: string, life?: { maxAge: number; expires: Date }) =>
    stringifySetCookie({ name: RESTART, value, ...attributes, httpOnly: true, ...life }, plain)

  return {
    restart: (realmId, data) => {
      assertName(realmId, 'realmId')
      const checked = restartData.safeParse(data)
      if (!checked.success)
        throw new TypeError(`"data" must be what a client asked for: ${whatIsWrong(checked.error)}`)
      const payload = Buffer.from(JSON.stringify(checked.data)).toString('base64url')
      const header = setRestart(`${payload}.${signatureOf(derived.current, realmId, payload)}`)
      return Buffer.byteLength(header) > MAX_COOKIE_BYTES ? undefined : header
    },
    readRestart: (realmId, header) => {
      assertName(realmId, 'realmId')
      const value = typeof header === 'string' ? parseCookie(header)[RESTART] : undefined
      if (value === undefined || value.length > MAX_COOKIE_BYTES) return undefined
      const [payload = '', signature = '', ...rest] = value.split('.')
      const presented = Buffer.from(signature)
      let fits = false
      for (const key of keys) {
        const expected = Buffer.from(signatureOf(key, realmId, payload))
        fits = (presented.length === expected.length && timingSafeEqual(presented, expected)) || fits
      }
      return fits && rest.length === 0 ? decodePayload(payload) : undefined
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

const restartData = z.strictObject({
  clientId: z.string().min(1),
  redirectUri: z.string().optional(),
  action: z.string().optional(),
  protocol: z.string().optional(),
  clientNotes: z.record(z.string(), z.string()).optional(),
})

function signatureOf({ secret }: DerivedKey, realmId: string, payload: string): string {
  return createHmac('sha512', secret)
    .update(JSON.stringify([realmId, payload]))
    .digest('base64url')
}

/** What was signed may have been signed by another version. */
function decodePayload(payload: string): RestartData | undefined {
  try {
    return restartData.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString())).data
  } catch {
    return undefined
  }
}

function whatIsWrong({ issues }: z.ZodError): string {
  return [
    ...new Set(issues.map(({ path, code }) => `${path[0] === undefined ? 'it' : String(path[0])}: ${code}`)),
  ].join(', ')
}
