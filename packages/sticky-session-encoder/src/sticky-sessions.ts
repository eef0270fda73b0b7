import {
  assertKnown,
  assertName,
  ConfigurationError,
  type Keyring,
  type Known,
  type ProviderContext,
} from '@authstate/spi'
import { parseCookie, stringifySetCookie } from 'cookie'
import { assertEncodableId, assertRoute } from './checks.js'
import type { StickySessionConfig } from './config.js'
import type { CookieOptions, DecodedSession, SignOptions, StickySessionEncoderProvider } from './contract.js'
import type { Routes } from './routes.js'
import { decodeSession, joinRoute, splitRoute } from './rules.js'
import { SessionSigner } from './signature.js'

/** Cookies of one name that are tried: a browser sends one per path and domain. */
const MAX_CANDIDATES = 3

/** Another route than the one that the session would get. */
export type RouteOption = { readonly route?: string | undefined }
/** The realm that a signature is for. */
export type RealmOption = { readonly realmId?: string | undefined }
/** Another path than the configured one. */
export type PathOption = { readonly path?: string | undefined }

const ROUTE_OPTION: Known<RouteOption> = { route: true }
const REALM_OPTION: Known<RealmOption> = { realmId: true }
const PATH_OPTION: Known<PathOption> = { path: true }
const SIGN: Known<SignOptions> = { ...ROUTE_OPTION, ...REALM_OPTION }
const COOKIE: Known<CookieOptions> = { ...SIGN, ...PATH_OPTION }

/** The contract, over whatever names the nodes: checks, signatures and cookies. */
export class StickySessions implements StickySessionEncoderProvider {
  readonly shouldAttachRoute: boolean
  readonly #config: StickySessionConfig
  readonly #signer: SessionSigner | undefined
  readonly #routes: Routes

  /** @param keyring What signs. Left out: that of the context; where there is none, what needs one throws. */
  constructor(
    context: ProviderContext,
    config: StickySessionConfig,
    routes: Routes,
    keyring: Keyring | undefined = context.keyring,
  ) {
    this.shouldAttachRoute = config.shouldAttachRoute
    this.#config = config
    this.#signer = keyring && new SessionSigner(keyring)
    this.#routes = routes
  }

  encode(id: string, options: RouteOption = {}): string {
    assertEncodableId(id)
    assertKnown(options, 'options', ROUTE_OPTION)
    return joinRoute(id, this.#chosenRoute(id, options.route))
  }

  decode(value: unknown): DecodedSession | undefined {
    return decodeSession(value)
  }

  route(id: string): string | undefined {
    assertName(id, 'id')
    return this.shouldAttachRoute ? this.#routes.routeOf(id) : undefined
  }

  sign(id: string, options: SignOptions = {}): string {
    assertName(id, 'id')
    assertKnown(options, 'options', SIGN)
    const { route, realmId } = options
    if (realmId !== undefined) assertName(realmId, 'realmId')
    return joinRoute(this.#signing().sign(id, realmId), this.#chosenRoute(id, route))
  }

  verify(value: unknown, options: RealmOption = {}): DecodedSession | undefined {
    assertKnown(options, 'options', REALM_OPTION)
    const { realmId } = options
    if (realmId !== undefined) assertName(realmId, 'realmId')
    const signing = this.#signing()
    const { message, route } = splitRoute(value) ?? {}
    const id = message === undefined ? undefined : signing.verify(message, realmId)
    return id === undefined ? undefined : { id, ...(route !== undefined && { route }) }
  }

  cookie(id: string, options: CookieOptions = {}): string {
    assertName(id, 'id')
    assertKnown(options, 'options', COOKIE)
    const { path, ...rest } = options
    return this.#setCookie(this.sign(id, rest), path)
  }

  clearCookie(options: PathOption = {}): string {
    assertKnown(options, 'options', PATH_OPTION)
    return this.#setCookie('', options.path, { maxAge: 0, expires: new Date(0) })
  }

  readCookie(header: string | undefined, options: RealmOption = {}): DecodedSession | undefined {
    assertKnown(options, 'options', REALM_OPTION)
    const candidates = valuesOf(header, this.#config.cookieName).slice(0, MAX_CANDIDATES)
    for (const value of candidates) {
      const session = this.verify(value, options)
      if (session !== undefined) return session
    }
    return undefined
  }

  #chosenRoute(id: string, given: string | undefined): string | undefined {
    if (given !== undefined) assertRoute(given)
    return this.shouldAttachRoute ? (given ?? this.#routes.routeOf(id)) : undefined
  }

  #setCookie(value: string, path: string | undefined, life?: { maxAge: number; expires: Date }): string {
    const { cookieName, domain, sameSite, secure } = this.#config
    return stringifySetCookie(
      {
        name: cookieName,
        value,
        path: path ?? this.#config.path,
        httpOnly: true,
        secure,
        sameSite,
        ...(domain !== undefined && { domain }),
        ...life,
      },
      // Nothing in it needs escaping, and a load balancer has to find the route as it is.
      { encode: (text) => text },
    )
  }

  #signing(): SessionSigner {
    if (this.#signer !== undefined) return this.#signer
    throw new ConfigurationError(
      'sticky-session-encoder: signing needs a "keyring", the same on every node, since another node has to verify',
    )
  }
}

/** Every value that a Cookie header has for a name, in its order. */
function valuesOf(header: string | undefined, name: string): string[] {
  if (typeof header !== 'string') return []
  return header.split(';').flatMap((pair) => parseCookie(pair)[name] ?? [])
}
