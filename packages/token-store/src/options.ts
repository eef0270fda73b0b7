import type { ActionTokenProvider } from '@authstate/action-token'
import {
  assertBoolean,
  assertFunction,
  assertInteger,
  assertLifespan,
  assertName,
  assertObject,
  assertOneOf,
  assertOptions,
  assertSpanMs,
  type Clock,
  ConfigurationError,
  consoleLogger,
  type Keyring,
  type Known,
  type Logger,
  systemClock,
} from '@authstate/spi'
import type { WebSessionProvider } from '@authstate/web-session'
import type { StoredTokens, TokenSet } from './interface.js'

/** Where things are kept: what `createAuthState` answers, or whatever else has the providers. */
export interface TokenStoreState {
  /** Keeps sessions and the instants up to which they are ended. */
  readonly webSessions: WebSessionProvider
  /** Keeps marks of what was ended, and ids against replay. */
  readonly actionTokens: ActionTokenProvider
}

/** What a refresh is asked with. */
export interface RefreshContext {
  /** Aborted when `refreshDeadlineMs` has passed. */
  readonly signal: AbortSignal
}

/** What a refresh brought. What is left out stays as it is. */
export interface RefreshedTokens extends TokenSet {
  /** The not-before that the provider sent along, ms since the epoch. It only raises the one in force. */
  readonly notBefore?: number | undefined
}

/** The cookie of a session. It is always `HttpOnly`, of `Path=/`. */
export interface TokenCookieOptions {
  /** @default '__Host-as'; '__Secure-as' with a `domain`, 'as' without `secure` */
  readonly name?: string | undefined
  /** Left out: the host that set the cookie, and no other. */
  readonly domain?: string | undefined
  /** `false` only where a browser reaches the application without TLS. @default true */
  readonly secure?: boolean | undefined
  /** `'strict'` needs a callback that goes on to a page of your own. @default 'lax' */
  readonly sameSite?: 'lax' | 'strict' | undefined
  /** `true`: the browser keeps it as long as the session lives; else until the browser ends. @default false */
  readonly persistent?: boolean | undefined
}

/** What both kinds of stores take. */
export interface TokenStoreOptions {
  /** The issuer of the provider, as its ID tokens say it. An application with two providers has two stores, with two realms. */
  readonly issuer: string
  /** The realm of the sessions: one per application that shares the deployment. @default 'tokens' */
  readonly realmId?: string | undefined
  /** The longest life of a session, whole ms. @default 2_592_000_000 (30 days) */
  readonly sessionMs?: number | undefined
  /**
   * Gets new tokens with the refresh token, by a library such as openid-client. An error whose `error` or `code` is `invalid_grant`
   * ends the session; one of a client or of a request that is wrong is not repeated; any other counts as an outage.
   */
  readonly refresh?: ((tokens: StoredTokens, context: RefreshContext) => Promise<RefreshedTokens>) | undefined
  /** Revokes a refresh token at the provider. @see RFC 7009 */
  readonly revoke?: ((refreshToken: string, context: RefreshContext) => Promise<unknown>) | undefined
  /** Looks at a new access token, and throws for one that is not to be used. */
  readonly verify?: ((accessToken: string) => unknown) | undefined
  /** Get a new token for every request that asks for one. @default false */
  readonly alwaysRefresh?: boolean | undefined
  /** How long the provider may take, ms. @default 10_000 */
  readonly refreshDeadlineMs?: number | undefined
  readonly cookie?: TokenCookieOptions | undefined
  /** @default one that writes to the console */
  readonly logger?: Logger | undefined
}

/** What a store takes that keeps sessions in the state. */
export interface SessionStoreOptions extends TokenStoreOptions {
  /** Encrypts the tokens in the state, the same on every node. @default they are stored as they are */
  readonly encryptAtRest?: Keyring | undefined
}

/** What of the tokens goes into a cookie; what does not fit is left out from the right. */
export type CookieContent = 'refresh' | 'access' | 'id'

/** What a store takes that keeps sessions in cookies. */
export interface CookieStoreOptions extends TokenStoreOptions {
  /** Encrypts the cookie, the same on every node. The first key encrypts, all decrypt. */
  readonly keyring: Keyring
  /** @default ['refresh', 'access', 'id'] */
  readonly keep?: readonly CookieContent[] | undefined
  /** How many cookies a session may take, 1 to 4, of 3 800 bytes each and 12 000 in all. @default 4 */
  readonly maxPieces?: number | undefined
  /** How long requests with the cookie of before get the same new tokens, ms. @default 30_000 */
  readonly resultMs?: number | undefined
  /** Of a store without a state. @default the host's */
  readonly clock?: Clock | undefined
}

const COMMON: Known<TokenStoreOptions> = {
  issuer: true,
  realmId: true,
  sessionMs: true,
  refresh: true,
  revoke: true,
  verify: true,
  alwaysRefresh: true,
  refreshDeadlineMs: true,
  cookie: true,
  logger: true,
}
const SESSION: Known<SessionStoreOptions> = { ...COMMON, encryptAtRest: true }
const COOKIE_STORE: Known<CookieStoreOptions> = {
  ...COMMON,
  keyring: true,
  keep: true,
  maxPieces: true,
  resultMs: true,
  clock: true,
}
const COOKIE: Known<TokenCookieOptions> = {
  name: true,
  domain: true,
  secure: true,
  sameSite: true,
  persistent: true,
}

const DAY_MS = 86_400_000
const MAX_PIECES = 4

/** {@link TokenCookieOptions} that were checked. */
export interface CheckedCookie {
  readonly name: string
  readonly domain: string | undefined
  readonly secure: boolean
  readonly sameSite: 'lax' | 'strict'
  readonly persistent: boolean
}

/** {@link TokenStoreOptions} that were checked. */
export interface CheckedOptions {
  readonly issuer: string
  readonly realmId: string
  readonly sessionMs: number
  readonly refresh: TokenStoreOptions['refresh']
  readonly revoke: TokenStoreOptions['revoke']
  readonly verify: TokenStoreOptions['verify']
  readonly alwaysRefresh: boolean
  readonly refreshDeadlineMs: number
  readonly cookie: CheckedCookie
  readonly logger: Logger
  readonly clock: Clock
}

/** {@link CookieStoreOptions} that were checked. */
export interface CheckedCookieStore extends CheckedOptions {
  readonly keyring: Keyring
  readonly keep: readonly CookieContent[]
  readonly maxPieces: number
  readonly resultMs: number
}

/** @throws {TypeError | RangeError | ConfigurationError} naming the option that is wrong */
export function checkSessionOptions(
  options: SessionStoreOptions,
  state: TokenStoreState,
): CheckedOptions & { readonly encryptAtRest: Keyring | undefined } {
  assertOptions<SessionStoreOptions>(options, 'options', SESSION)
  const checked = checkCommon(options, state.webSessions.clock ?? systemClock)
  assertState(state, checked.sessionMs)
  return { ...checked, encryptAtRest: options.encryptAtRest as Keyring | undefined }
}

/** @throws {TypeError | RangeError | ConfigurationError} naming the option that is wrong */
export function checkCookieOptions(
  options: CookieStoreOptions,
  state: TokenStoreState | undefined,
): CheckedCookieStore {
  assertOptions<CookieStoreOptions>(options, 'options', COOKIE_STORE)
  const { clock = systemClock, keep = ['refresh', 'access', 'id'], maxPieces = MAX_PIECES } = options
  const { resultMs = 30_000 } = options
  if (state !== undefined && options.clock !== undefined)
    throw new TypeError('"clock" must not be given with a state: the store uses the clock of the state')
  assertFunction((clock as Clock | undefined)?.now, 'clock.now')
  const checked = checkCommon(
    options,
    state === undefined ? (clock as Clock) : (state.webSessions.clock ?? systemClock),
  )
  if (state !== undefined) assertState(state, checked.sessionMs)
  if (!Array.isArray(keep)) throw new TypeError('"keep" must be a list')
  keep.forEach((item: unknown, n) => {
    assertOneOf(item, `keep[${n}]`, ['refresh', 'access', 'id'])
  })
  assertInteger(maxPieces, 'maxPieces', 1, MAX_PIECES)
  assertSpanMs(resultMs, 'resultMs')
  return {
    ...checked,
    keyring: options.keyring as Keyring,
    keep: keep as CookieContent[],
    maxPieces,
    resultMs,
  }
}

function assertState(state: TokenStoreState, sessionMs: number): void {
  assertObject(state, 'state')
  assertLifespan(sessionMs, 'sessionMs', { name: 'web-session', limits: state.webSessions.limits })
  assertObject(state.actionTokens, 'state.actionTokens')
}

function checkCommon(
  options: { readonly [Name in keyof TokenStoreOptions]?: unknown },
  clock: Clock,
): CheckedOptions {
  const { issuer, realmId = 'tokens', sessionMs = 30 * DAY_MS, alwaysRefresh = false } = options
  const { refresh, revoke, verify, refreshDeadlineMs = 10_000, logger = consoleLogger, cookie = {} } = options
  assertName(issuer, 'issuer')
  assertName(realmId, 'realmId')
  assertSpanMs(sessionMs, 'sessionMs')
  assertBoolean(alwaysRefresh, 'alwaysRefresh')
  assertInteger(refreshDeadlineMs, 'refreshDeadlineMs', 1, 300_000)
  for (const [name, value] of Object.entries({ refresh, revoke, verify }))
    if (value !== undefined) assertFunction(value, name)
  if (alwaysRefresh && refresh === undefined)
    throw new ConfigurationError('token-store: "alwaysRefresh" needs "refresh", which gets the tokens')
  return {
    issuer,
    realmId,
    sessionMs,
    refresh: refresh as TokenStoreOptions['refresh'],
    revoke: revoke as TokenStoreOptions['revoke'],
    verify: verify as TokenStoreOptions['verify'],
    alwaysRefresh,
    refreshDeadlineMs,
    cookie: checkCookie(cookie),
    logger: logger as Logger,
    clock,
  }
}

function checkCookie(given: unknown): CheckedCookie {
  assertOptions<TokenCookieOptions>(given, 'cookie', COOKIE)
  const { domain, secure = true, sameSite = 'lax', persistent = false } = given
  if (domain !== undefined && (typeof domain !== 'string' || !/^[\w.-]{1,255}$/.test(domain)))
    throw new TypeError('"cookie.domain" must be a host name')
  assertBoolean(secure, 'cookie.secure')
  assertOneOf(sameSite, 'cookie.sameSite', ['lax', 'strict'])
  assertBoolean(persistent, 'cookie.persistent')
  const { name = secure ? (domain === undefined ? '__Host-as' : '__Secure-as') : 'as' } = given
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name))
    throw new TypeError('"cookie.name" must have 1 to 64 of A-Z a-z 0-9 _ -')
  if (/^__host-/i.test(name) && (!secure || domain !== undefined))
    throw new TypeError(
      '"cookie.name" must not begin with "__Host-" with a "domain" or without "secure": browsers drop such a cookie',
    )
  if (/^__secure-/i.test(name) && !secure)
    throw new TypeError(
      '"cookie.name" must not begin with "__Secure-" without "secure": browsers drop such a cookie',
    )
  return { name, domain: domain as string | undefined, secure, sameSite, persistent }
}
