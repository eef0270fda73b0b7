import { isPlainObject } from '@authstate/spi/internal'
import { answer, bodyOf, invalidRequest, isOfType } from './bodies.js'
import type { TokenStore } from './interface.js'
import type { Once } from './once.js'
import type { SignedMessage, Verifier } from './verifier.js'

/** What receivers of signed messages have in common. */
export interface Reception {
  readonly store: TokenStore
  readonly verifier: Verifier
  readonly once: Once
  readonly clientId: string
  readonly skewMs: number
  readonly clock: { now(): number }
}

/** How logout tokens are read. */
export interface LogoutRules extends Reception {
  readonly types: readonly string[]
  readonly requireExp: boolean
}

/** The member of `events` that makes a token a logout token. */
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
/** Oldest token that is heeded, by its `iat`. */
const MAX_AGE_MS = 600_000
/** Longest name of a session or a user, characters. */
const MAX_NAME = 512

/** What a logout token asks for. */
interface Logout {
  readonly sid: string | undefined
  readonly subject: string | undefined
  /** Sessions of the subject that began then or before are ended. */
  readonly before: number
  readonly jti: string
  /** How long a copy of it could still be heeded, ms. */
  readonly validMs: number
}

/** Logout tokens. @see OpenID Connect Back-Channel Logout 1.0 §2.6 */
export class BackChannel {
  readonly #rules: LogoutRules

  constructor(rules: LogoutRules) {
    this.#rules = rules
  }

  async receive(request: Request): Promise<Response> {
    const { store, once, verifier } = this.#rules
    if (request.method !== 'POST' || !isOfType(request, 'application/x-www-form-urlencoded'))
      return invalidRequest()
    const body = await bodyOf(request)
    const tokens = new URLSearchParams(body ?? '').getAll('logout_token')
    const [token] = tokens
    if (token === undefined || token === '' || tokens.length > 1) return invalidRequest()
    const message = await verifier.verify(token)
    const logout = message && this.#logoutIn(message)
    if (logout === undefined) return invalidRequest()
    const { sid, subject, before, jti, validMs } = logout
    const outcome = await once.run('logout', [store.issuer, jti], token, validMs, () =>
      // Without a session of the provider it is about all that the user has here.
      sid === undefined ? store.end({ subject: subject as string, before }) : store.end({ sid }),
    )
    return outcome === 'other' ? invalidRequest() : answer(200)
  }

  #logoutIn({ type = '', claims }: SignedMessage): Logout | undefined {
    const { store, clientId, skewMs, clock, types, requireExp } = this.#rules
    // A type may be told with the prefix of media types: RFC 7515 §4.1.9.
    const short = type.replace(/^application\//i, '').toLowerCase()
    if (!types.some((allowed) => allowed.toLowerCase() === short)) return undefined
    const { iss, aud, exp, iat, jti, sub, sid, events, toe } = claims
    if (iss !== store.issuer || !isAudience(aud, clientId)) return undefined
    const now = clock.now()
    if (!isSeconds(iat) || iat * 1_000 > now + skewMs || iat * 1_000 + MAX_AGE_MS < now - skewMs)
      return undefined
    if (exp === undefined ? requireExp : !isSeconds(exp) || exp * 1_000 + skewMs <= now) return undefined
    if (!isPlainObject(events) || !isPlainObject((events as Record<string, unknown>)[EVENT])) return undefined
    if ('nonce' in claims) return undefined
    if (!isName(sub) && !isName(sid)) return undefined
    if ((sub !== undefined && !isName(sub)) || (sid !== undefined && !isName(sid))) return undefined
    if (!isName(jti)) return undefined
    const end = Math.min(...[...(isSeconds(exp) ? [exp * 1_000] : []), iat * 1_000 + MAX_AGE_MS])
    return {
      sid: isName(sid) ? sid : undefined,
      subject: isName(sub) ? sub : undefined,
      before: fenceOf(iat, toe),
      jti,
      validMs: Math.max(1, Math.ceil(end + 2 * skewMs - now)),
    }
  }
}

/**
 * Up to when sessions are ended: when it happened, where the token says so, else when it was issued. A whole second is meant to
 * its end, as a session that began in it may have begun before.
 *
 * @param happened One that is later than the token was issued says nothing; `iat` is in whole seconds.
 * @see RFC 8417 §2.2 — `toe`
 */
export function fenceOf(iat: number, happened: unknown): number {
  const at = isSeconds(happened) && Math.floor(happened) <= iat ? happened : iat
  return Number.isInteger(at) ? at * 1_000 + 999 : Math.floor(at * 1_000)
}

const isSeconds = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < 1e11

const isName = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.length <= MAX_NAME &&
  Buffer.byteLength(value) <= MAX_NAME

/** Whether an audience is ours: a text, or a list in which it is. */
export const isAudience = (aud: unknown, clientId: string): boolean =>
  Array.isArray(aud) ? aud.includes(clientId) : aud === clientId
