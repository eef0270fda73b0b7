import { types } from 'node:util'
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertName,
  assertOneOf,
  assertOptions,
  assertSpanMs,
  type Known,
} from '@authstate/spi'
import type { WebSessionProvider } from '../contract.js'
import { type RefusedSession, refusalsTo } from './refusals.js'

/** Where sessions are kept: what `createAuthState` answers, or whatever else has the provider. */
export interface SessionState {
  readonly webSessions: WebSessionProvider
}

/** Text or bytes, 32 at least. */
export type Secret = string | Uint8Array

/** The cookie that names a session. It is always `HttpOnly`. */
export interface SessionCookieOptions {
  /**
   * A name that begins with `__Host-` or `__Secure-` must follow the rules of browsers for these names.
   *
   * @default '__Host-session'; 'session' with a `domain`, another `path` or without `secure`
   */
  readonly name?: string | undefined
  /** @default '/' */
  readonly path?: string | undefined
  /** Left out: the host that set the cookie, and no other. */
  readonly domain?: string | undefined
  /** `false` only where a browser reaches the server without TLS. @default true */
  readonly secure?: boolean | undefined
  /** `'none'` needs `secure`. @default 'lax' */
  readonly sameSite?: 'lax' | 'strict' | 'none' | undefined
  /** `true`: the browser keeps it as long as the session lives; else until the browser ends. @default false */
  readonly persistent?: boolean | undefined
}

/** How long a session lives, and whose it is. */
export interface Life<Data extends object> {
  /** The realm of the sessions: one per application that shares the deployment. @default 'sessions' */
  readonly realmId?: string | undefined
  /** Life of a session that is not used, whole ms above 0. @default 86_400_000 */
  readonly lifespanMs?: number | undefined
  /**
   * Whose a session is, so that it can be listed and ended with the others of its user.
   *
   * @default the text under the name `userId`
   */
  readonly userId?: ((data: Partial<Data>) => string | undefined) | undefined
  /** Called for each session whose changes were refused. If it throws or rejects, that is logged once. */
  readonly onRefused?: ((refused: RefusedSession) => unknown) | undefined
}

/** How sessions are kept. */
export interface SessionsOptions<Data extends object> extends Life<Data> {
  /** Signs the cookie. Of several the first one signs, and what the others signed still counts: put a new one in front. */
  readonly secret: Secret | readonly Secret[]
  readonly cookie?: SessionCookieOptions | undefined
  /**
   * A request that changes nothing prolongs a session of which this much has passed; 0: every request does.
   *
   * @default a tenth of `lifespanMs`
   */
  readonly touchAfterMs?: number | undefined
}

const COOKIE: Known<SessionCookieOptions> = {
  name: true,
  path: true,
  domain: true,
  secure: true,
  sameSite: true,
  persistent: true,
}
/** What {@link checkLife} looks at. */
export const LIFE: Known<Life<object>> = { realmId: true, lifespanMs: true, userId: true, onRefused: true }
const OPTIONS: Known<SessionsOptions<object>> = { ...LIFE, secret: true, cookie: true, touchAfterMs: true }

const DAY_MS = 86_400_000
const MIN_SECRET_BYTES = 32

/** {@link Life} that was checked. */
export interface CheckedLife<Data extends object> {
  readonly realmId: string
  readonly lifespanMs: number
  readonly userIdOf: (data: Partial<Data>) => string | undefined
  readonly onRefused: (refused: RefusedSession) => void
}

/** {@link SessionCookieOptions} that were checked. */
export interface CheckedCookie {
  readonly name: string
  readonly path: string
  readonly domain: string | undefined
  readonly secure: boolean
  readonly sameSite: 'lax' | 'strict' | 'none'
  readonly persistent: boolean
}

/** Options that were checked. */
export interface CheckedOptions<Data extends object> extends CheckedLife<Data> {
  readonly secrets: readonly Secret[]
  readonly cookie: CheckedCookie
  readonly touchAfterMs: number
}

/** @throws {TypeError | RangeError} naming the option that is wrong */
export function checkOptions<Data extends object>(
  options: SessionsOptions<Data>,
  state: SessionState,
): CheckedOptions<Data> {
  assertOptions<SessionsOptions<Data>>(options, 'options', OPTIONS)
  const life = checkLife<Data>(options as Life<Data>, state)
  const { touchAfterMs = Math.floor(life.lifespanMs / 10) } = options
  assertInteger(touchAfterMs, 'touchAfterMs', 0, life.lifespanMs - 1)
  return {
    ...life,
    secrets: checkSecrets(options.secret),
    cookie: checkCookie(options.cookie ?? {}),
    touchAfterMs,
  }
}

/** @throws {TypeError | RangeError} naming the option that is wrong */
export function checkLife<Data extends object>(
  { realmId = 'sessions', lifespanMs = DAY_MS, userId = userIdIn, onRefused }: Life<Data>,
  { webSessions }: SessionState,
): CheckedLife<Data> {
  assertName(realmId, 'realmId')
  assertSpanMs(lifespanMs, 'lifespanMs')
  const { maxLifespanMs } = webSessions.limits
  if (lifespanMs > maxLifespanMs)
    throw new RangeError(
      `"lifespanMs" must be at most ${maxLifespanMs}, the "maxLifespanMs" of web-session, got ${lifespanMs}`,
    )
  assertFunction(userId, 'userId')
  return { realmId, lifespanMs, userIdOf: userId, onRefused: refusalsTo(onRefused) }
}

function userIdIn(data: object): string | undefined {
  const { userId } = data as { readonly userId?: unknown }
  return typeof userId === 'string' ? userId : undefined
}

/** Never tells a secret. */
function checkSecrets(given: unknown): readonly Secret[] {
  const secrets: readonly unknown[] = Array.isArray(given) ? given : [given]
  const isSecret = (secret: unknown): secret is Secret =>
    (typeof secret === 'string' || types.isUint8Array(secret)) &&
    Buffer.byteLength(secret) >= MIN_SECRET_BYTES
  if (secrets.length === 0 || !secrets.every(isSecret))
    throw new TypeError(
      `"secret" must be text or bytes, at least ${MIN_SECRET_BYTES} of them, or a list of such secrets`,
    )
  return secrets
}

function checkCookie(given: unknown): CheckedCookie {
  assertOptions<SessionCookieOptions>(given, 'cookie', COOKIE)
  const { path = '/', domain, secure = true, sameSite = 'lax', persistent = false } = given
  assertMatch(path, 'cookie.path', /^\/[\x21-\x3a\x3c-\x7e]*$/, 'begin with "/" and have no space and no ";"')
  if (domain !== undefined) assertMatch(domain, 'cookie.domain', /^[\w.-]{1,255}$/, 'be a host name')
  assertBoolean(secure, 'cookie.secure')
  assertOneOf(sameSite, 'cookie.sameSite', ['lax', 'strict', 'none'])
  assertBoolean(persistent, 'cookie.persistent')
  if (sameSite === 'none' && !secure)
    throw new TypeError(`"cookie.sameSite" must not be 'none' without "secure": browsers drop such a cookie`)
  const isOfHost = secure && path === '/' && domain === undefined
  const { name = isOfHost ? '__Host-session' : 'session' } = given
  assertMatch(name, 'cookie.name', /^[\w.-]{1,64}$/, 'have 1 to 64 of A-Z a-z 0-9 _ . -')
  if (/^__host-/i.test(name) && !isOfHost)
    throw new TypeError(
      '"cookie.name" must not begin with "__Host-" with a "domain", another "path" or without "secure": browsers drop such a cookie',
    )
  if (/^__secure-/i.test(name) && !secure)
    throw new TypeError(
      '"cookie.name" must not begin with "__Secure-" without "secure": browsers drop such a cookie',
    )
  return { name, path, domain, secure, sameSite, persistent }
}

function assertMatch(value: unknown, name: string, pattern: RegExp, must: string): asserts value is string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new TypeError(`"${name}" must ${must}`)
}
