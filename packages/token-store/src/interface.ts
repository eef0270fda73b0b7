/**
 * What an application calls: its sessions with the tokens of an OpenID provider, on every node the same.
 *
 * @module
 */
import type { EventOf, JsonValue } from '@authstate/spi'

/** What binds tokens to a key. @see RFC 9449 */
export interface DpopBinding {
  /** SHA-256 thumbprint of the public key, base64url. */
  readonly thumbprint: string
  /** The private key, as your library exports it. It is stored encrypted and in no other way. */
  readonly key?: JsonValue | undefined
}

/** Tokens as the provider issued them. Instants are ms since the epoch by the clock of the store. */
export interface TokenSet {
  readonly accessToken: string
  readonly accessExpiresAt: number
  /** When the access token was issued. @default now */
  readonly issuedAt?: number | undefined
  readonly refreshToken?: string | undefined
  /** Left out: it lives until the provider refuses it. */
  readonly refreshExpiresAt?: number | undefined
  readonly idToken?: string | undefined
  readonly scope?: string | undefined
  readonly dpop?: DpopBinding | undefined
}

/** Tokens of a session. A cookie that had no room for the access token or the id token comes without it. */
export interface StoredTokens extends Omit<TokenSet, 'accessToken' | 'issuedAt'> {
  readonly accessToken?: string | undefined
  readonly issuedAt: number
}

/** What the application keeps beside the tokens: names with texts. */
export type SessionData = Readonly<Record<string, string>>

/** A session. It is a copy: changing it changes nothing in the store. */
export interface StoredSession {
  /** Names the session in lists and logs of yours. It opens nothing: the cookie holds another text. */
  readonly id: string
  readonly issuer: string
  readonly subject: string
  /** The provider's name of its session. */
  readonly sid?: string | undefined
  /** When the login began, ms since the epoch. */
  readonly startedAt: number
  /** When the user was authenticated, ms since the epoch, where the provider said so. */
  readonly authTime?: number | undefined
  /** Ms since the epoch; from then on it has ended. Reading never moves it. */
  readonly expiresAt: number
  readonly tokens: StoredTokens
  readonly data: SessionData
  /** One more with every change. */
  readonly version: number
}

/** A login that the provider completed. */
export interface NewSession {
  readonly subject: string
  readonly sid?: string | undefined
  /**
   * When the login began, ms since the epoch: read `store.clock.now()` before the browser is sent to the provider. Logouts of
   * the user that came later end the session, also before it is created. @default now
   */
  readonly startedAt?: number | undefined
  readonly authTime?: number | undefined
  /** At most `sessionMs` away. @default the end of the refresh token, at most `sessionMs` away */
  readonly expiresAt?: number | undefined
  readonly tokens: TokenSet
  readonly data?: SessionData | undefined
}

/** A change of a session. */
export interface SessionPatch {
  /** Names that get another text; `null` takes one away. All others stay. */
  readonly data?: Readonly<Record<string, string | null>> | undefined
  /** At most `sessionMs` away. */
  readonly expiresAt?: number | undefined
}

/** Values for `Set-Cookie` headers, each a header of its own. */
export type SetCookies = readonly string[]

/** What became of a login. */
export type CreateOutcome =
  | { readonly outcome: 'created'; readonly session: StoredSession; readonly cookies: SetCookies }
  /** A logout for it came first. Its tokens were revoked where `revoke` is given. Nothing is stored. */
  | { readonly outcome: 'ended' }
  /** It does not fit, and nothing is stored. */
  | { readonly outcome: 'too-large' }

/** Why a request has no session. */
export type AbsenceReason =
  /** It sent no cookie of this store. */
  | 'none'
  /** The cookie is damaged, foreign, of an old format, or encrypted with a key that is not there. */
  | 'unreadable'
  | 'expired'
  /** It was ended: here, by the provider, or by an administrator. */
  | 'ended'
  /** Its tokens are older than the not-before of the provider, and there is nothing to get others with. */
  | 'not-before'

/** The session of a request, or why there is none. */
export type ReadOutcome =
  | {
      readonly session: StoredSession
      readonly absent?: undefined
      /** Takes leftovers of other cookies away. Often empty. */
      readonly clear: SetCookies
    }
  | { readonly session?: undefined; readonly absent: AbsenceReason; readonly clear: SetCookies }

/** How an access token is asked for. */
export interface AccessTokenOptions {
  /** The token must live longer than this, ms. @default 0 */
  readonly minTtlMs?: number | undefined
  /** A token that lives no longer than this is replaced while it is still good, ms. @default 10_000 */
  readonly refreshAheadMs?: number | undefined
  /** Get another token, whatever the life of this one: an API refused it. @default false */
  readonly force?: boolean | undefined
  /** How long the call may take, ms. @default `refreshDeadlineMs` + 2_000 */
  readonly deadlineMs?: number | undefined
}

/** Why there is no token, although the session stands. */
export type TokenRefusal =
  /** A new token lives no longer than `minTtlMs`. It was kept, and is not asked for again by this call. */
  | 'ttl'
  /** There is no refresh token, or its end has passed, or the store has no `refresh`. */
  | 'no-refresh-token'
  /** A new token is still older than the not-before of the provider. */
  | 'not-before'
  /** `verify` refused the new token. */
  | 'verify'
  /** The new tokens do not fit. */
  | 'too-large'

/** An access token, or why there is none. */
export type AccessTokenOutcome =
  | {
      readonly outcome: 'token'
      readonly token: string
      /** The session with the tokens that it has now. */
      readonly session: StoredSession
      /** Send these with the response. Empty where the cookie stays as it is. */
      readonly cookies: SetCookies
    }
  /** The session has ended: send the user to a login, and `clear` with the response. */
  | { readonly outcome: 'ended'; readonly retryable: false; readonly clear: SetCookies }
  | {
      readonly outcome: 'refused'
      readonly reason: TokenRefusal
      readonly retryable: false
      /** Send these with the response: there may be new tokens, although none that was good enough. */
      readonly cookies: SetCookies
    }
  /** The provider did not answer, or did not serve. The session stands. */
  | {
      readonly outcome: 'unavailable'
      /** `false`: the provider refused the client or the request, which no repetition mends. */
      readonly retryable: boolean
      /** When it is worth asking again, ms from now. */
      readonly retryAfterMs: number
    }

/** Which sessions are to end. */
export type EndTarget =
  | StoredSession
  /** The one of that id, as a list has it. */
  | { readonly id: string }
  /** That of one session of the provider. It is refused from now on, also where its login is still under way. */
  | { readonly sid: string }
  /** Those of a user that began at this instant or before, ms since the epoch. Left out: now. */
  | { readonly subject: string; readonly before?: number | undefined }
  /** Those of everybody that began at this instant or before, ms since the epoch. */
  | { readonly before: number }

/** What an end came to. */
export interface EndOutcome {
  /** How many sessions were alive. `'unknown'`: they are in cookies. */
  readonly ended: number | 'unknown'
  /** Takes the cookie away, where one session was given. */
  readonly clear: SetCookies
}

/** What this node did, emitted after it is done. No event holds a token or a cookie. */
export interface TokenStoreEvents {
  /** A session was created. */
  readonly created: { readonly type: 'created'; readonly sessionId: string }
  /** Sessions were ended: by whom. */
  readonly ended: {
    readonly type: 'ended'
    readonly by: 'session' | 'sid' | 'subject' | 'everybody' | 'provider'
    readonly count: number | 'unknown'
  }
  /** A login came to nothing because a logout for it came first. */
  readonly refused: { readonly type: 'refused' }
  /** This node got new tokens from the provider. */
  readonly refreshed: { readonly type: 'refreshed'; readonly sessionId: string }
  /** This node asked the provider in vain. */
  readonly 'refresh-failed': {
    readonly type: 'refresh-failed'
    readonly sessionId: string
    readonly reason: 'invalid-grant' | 'unavailable' | 'client' | 'verify'
  }
  /** New tokens came for a session that had ended meanwhile, and were revoked. */
  readonly 'refresh-late': { readonly type: 'refresh-late'; readonly sessionId: string }
  /** The not-before that is in force was raised. */
  readonly 'not-before': { readonly type: 'not-before'; readonly at: number }
}

/** What a store is. */
export interface TokenStoreDescription {
  readonly kind: 'session' | 'cookie'
  /** Whether all nodes refresh together, and not each for itself. */
  readonly shared: boolean
  /** Whether sessions can be ended by somebody who does not hold their cookie. */
  readonly revocable: boolean
  /** What it cannot do, for a page of status. */
  readonly limits: readonly string[]
}

/**
 * Sessions of an application with the tokens of one OpenID provider.
 *
 * Every verb throws `TypeError` or `RangeError` for a bad argument, `StoreUnavailableError` when
 * the store did not answer, which logs no user out, and `ProviderClosedError` after `close()`.
 */
export interface TokenStore {
  readonly issuer: string
  /** What instants are compared with. */
  readonly clock: { now(): number }
  /** Keeps a login. Not safe to repeat: each call makes a session. @param options.replaces The session that it takes the place of. */
  create(
    session: NewSession,
    options?: { readonly replaces?: StoredSession | undefined },
  ): Promise<CreateOutcome>
  /**
   * The session of a request. Reading never extends a life, and an unreadable cookie is no error.
   *
   * @param cookieHeader The `Cookie` header; of several, joined by `; `.
   */
  read(cookieHeader: string | null | undefined): Promise<ReadOutcome>
  /**
   * An access token that can be used now. Of all requests on all nodes that find a token at its end, one asks the provider.
   *
   * A token that is good for longer than `refreshAheadMs` costs no call. Safe to repeat.
   */
  accessToken(session: StoredSession, options?: AccessTokenOptions): Promise<AccessTokenOutcome>
  /** Changes a session that is there. @returns `undefined` if it has ended: an update never creates */
  update(
    session: StoredSession,
    patch: SessionPatch,
  ): Promise<{ readonly session: StoredSession; readonly cookies: SetCookies } | undefined>
  /**
   * Ends sessions on all nodes. Once it has resolved none of them is read by anybody. Safe to repeat.
   *
   * @throws {ConfigurationError} a store in cookies without a state cannot end what it does not hold
   */
  end(target: EndTarget): Promise<EndOutcome>
  /**
   * The living sessions of a user, for a page of devices, or those of one session of the provider.
   *
   * @throws {ConfigurationError} sessions in cookies cannot be listed
   */
  sessionsOf(of: { readonly subject: string } | { readonly sid: string }): Promise<readonly StoredSession[]>
  /** Refuses access tokens that were issued at this instant or before, in whole seconds. It never falls. @returns the one in force */
  raiseNotBefore(at: number): Promise<number>
  /** What this store can and cannot do, for a page of status. */
  describe(): TokenStoreDescription
  /** Tells a listener what this node does from now on. @returns call it to stop */
  on<E extends keyof TokenStoreEvents | '*'>(
    event: E,
    listener: (event: EventOf<TokenStoreEvents, E>) => void,
  ): () => void
  /** Nothing is served from now on. The state is not closed. Safe to repeat. */
  close(): Promise<void>
}
