/**
 * Single-use objects, action tokens, token families and revoked tokens.
 *
 * What an authorization server must redeem at most once lives here: authorization codes, PAR requests, links in
 * mails, the ids of refresh tokens, assertion ids against replay.
 *
 * @module
 */
import {
  defineSpi,
  type EventOf,
  type JsonValue,
  type Page,
  type PageOptions,
  type Provider,
} from '@authstate/spi'
import type { ActionToken, NewActionToken, VerifyOutcome } from './signed-contract.js'

export type { ActionToken, JsonValue, NewActionToken, VerifyOutcome }

/** What a token stands for: an object of JSON values, opaque to the store. */
export type TokenData = Readonly<Record<string, JsonValue>>

/** A token as it is stored. */
export interface TokenRecord {
  /** An empty object when the token was stored without data. */
  readonly data: TokenData
  /** Ms since the epoch; from this instant on the token has expired. */
  readonly expiresAt: number
  /** When it was consumed. Absent while it can still be. */
  readonly consumedAt?: number
  /** Present on a record that is kept for `readGraceMs` after it expired. */
  readonly expired?: true
  readonly family?: string
  readonly subject?: string
}

/**
 * When something ends: after a span that begins now, or at an instant.
 *
 * Give the instant where you know one, such as the `exp` of a token. A span that you compute from it with a clock of your own
 * is wrong by as much as that clock is off the provider's.
 */
export type Lifetime =
  /** Whole ms, above 0. */
  | { readonly lifespanMs: number; readonly expiresAt?: undefined }
  /** Ms since the epoch. */
  | { readonly expiresAt: number; readonly lifespanMs?: undefined }

/** A token to be stored: its end, at most the provider's `limits.maxLifespanMs` away, and what it holds. */
export type NewToken = Lifetime & {
  /** @default {} */
  readonly data?: TokenData | undefined
  /** Tokens that fall together: what came from one grant, of whatever kind. */
  readonly family?: string | undefined
  /** Whom it is about: a user id. */
  readonly subject?: string | undefined
}

/** What a provider takes at most. What is above is refused, never cut. */
export interface ActionTokenLimits {
  /** Longest life of a token, ms. Marks (revoked ids, revoked families) may be kept for longer. */
  readonly maxLifespanMs: number
  /** How long `get` and `consume` tell an expired token from an unknown one, ms. */
  readonly readGraceMs: number
  /** Longest JSON of a token's data, bytes of UTF-8. */
  readonly maxDataBytes: number
}

/** A token of a listing. */
export interface ListedToken extends TokenRecord {
  readonly kind: string
  readonly key: string
}

/** Which tokens about a subject are listed. */
export interface ListOptions extends PageOptions {
  /** Of this kind and no other. */
  readonly kind?: string | undefined
  /** `true`: also those that were consumed. @default false */
  readonly consumed?: boolean | undefined
}

/** What a revocation of a family leaves. Its end says how long late joiners are refused. */
export type FamilyRevocation = (
  | Lifetime
  | { readonly lifespanMs?: undefined; readonly expiresAt?: undefined }
) & {
  /** `false`: what joins the family later is stored again. Not beside an end. @default true */
  readonly refuse?: boolean | undefined
  /** `'remove'`: tokens that were consumed are forgotten as well, and their keys may be stored again. @default 'keep' */
  readonly consumed?: 'keep' | 'remove' | undefined
}

/** How often something was tried since its window began. */
export interface UseCount {
  /** This try included: 1 for the first. */
  readonly count: number
  /** When the window ends and the next try is the first again, ms since the epoch. */
  readonly resetsAt: number
}

/** What this node did, emitted after it is done. What other nodes do, and what only expires, is not emitted. No event names a key. */
export interface ActionTokenEvents {
  /** A token was redeemed, by `consume`, `consumeActionToken` or `take`. A repeated attempt emits no second event. */
  readonly consumed: {
    readonly type: 'consumed'
    readonly realmId: string
    readonly kind: string
    /** Absent when it has none. */
    readonly family?: string
    /** Absent when it has none. */
    readonly subject?: string
  }
  /** A token that somebody redeemed before was presented again. */
  readonly replayed: {
    readonly type: 'replayed'
    readonly realmId: string
    readonly kind: string
    /** Absent when it has none. */
    readonly family?: string
    /** Absent when it has none. */
    readonly subject?: string
    /** When it was redeemed, ms since the epoch. */
    readonly consumedAt: number
  }
  /** `revokeFamily` is done. */
  readonly 'family-revoked': {
    readonly type: 'family-revoked'
    readonly realmId: string
    readonly family: string
    /** How many tokens could still be consumed. */
    readonly withdrawn: number
  }
}

/** What became of an attempt to redeem a token. */
export type ConsumeOutcome =
  /** This caller redeemed the token, and no other caller ever will. */
  | { readonly outcome: 'consumed'; readonly data: TokenData; readonly successor?: string }
  /** Somebody redeemed it before: a replay. */
  | { readonly outcome: 'used'; readonly data: TokenData; readonly consumedAt: number }
  /** It expired; said only within `readGraceMs`. */
  | { readonly outcome: 'expired' }
  /** There is no token: never stored, removed, revoked, long expired, or of another realm or kind. */
  | { readonly outcome: 'unknown' }

/** How a token is consumed by a caller that may have to ask again. */
export interface ConsumeOptions {
  /**
   * A name of the caller's for this one try, such as a request id or a fingerprint of the request. Repeating it
   * gets `'consumed'` again, so that a lost reply does not cost an honest caller its token.
   */
  readonly attempt?: string | undefined
  /** How long the attempt may be repeated, ms. @default as long as the token lives */
  readonly graceMs?: number | undefined
  /**
   * What takes the token's place, such as the id of the next refresh token. A repeated attempt gets that of the
   * first, whatever it brings itself; no other caller gets it. Needs `attempt`.
   */
  readonly successor?: string | undefined
}

/** Keeps what may be redeemed once. Every verb is one atomic step, except where its text says otherwise. */
export interface ActionTokenProvider extends Provider {
  /** What this provider takes at most, for a caller that has to choose a lifespan. */
  readonly limits: ActionTokenLimits

  /**
   * A key that no one can guess and no other call gets: 23 characters of base64url and a dot, with 126 random bits. Use it for a code or
   * the id of a token. With several sites it contains the mark of this site, so that this site decides who redeems it, without asking
   * another one. Safe to call at any time: it asks no server.
   *
   * @example
   * ```ts
   * const code = state.actionTokens.mintKey()
   * await state.actionTokens.put('acme', 'code', code, { lifespanMs: 60_000 })
   * ```
   */
  mintKey(): string

  /**
   * Stores a token, in place of one that was stored under the same key and not consumed.
   *
   * Safe to repeat: the second call stores the same again.
   *
   * @param kind A namespace of its own: `'code'`, `'par'`, `'rt'`. No key reaches another namespace.
   * @returns `'refused'` when its family was revoked, the key is spent or its `expiresAt` has passed; nothing is stored then.
   * @throws {RangeError} it would live longer than `limits.maxLifespanMs`, its `lifespanMs` is not above 0, or its data
   *   exceeds `limits.maxDataBytes`
   *
   * @example
   * ```ts
   * await state.actionTokens.put('acme', 'code', 'SplxlOBeZQQYbYS6WxSbIA', {
   *   lifespanMs: 60_000,
   *   family: 'id of the grant',
   *   data: { clientId: 'shop' },
   * })
   * ```
   */
  put(realmId: string, kind: string, key: string, token: NewToken): Promise<'stored' | 'refused'>

  /**
   * Stores a token only where there is none: of N concurrent calls exactly one gets `true`.
   *
   * Not safe to repeat after a lost reply: the second call gets `false` for what the first one stored.
   *
   * @returns `false` when the key is taken or spent, the family was revoked, or `expiresAt` has passed.
   * @throws {RangeError} as {@link put}
   */
  putIfAbsent(realmId: string, kind: string, key: string, token: NewToken): Promise<boolean>

  /** The token, consumed or not, or `undefined` when there is none. Looking never consumes. */
  get(
    realmId: string,
    kind: string,
    key: string,
    options?: { readonly includeExpired?: boolean | undefined },
  ): Promise<TokenRecord | undefined>

  /** Whether the key is taken: stored and not expired, consumed or not. */
  has(realmId: string, kind: string, key: string): Promise<boolean>

  /** Changes the data of a token that can still be consumed. It keeps the remaining life. */
  replace(realmId: string, kind: string, key: string, data: TokenData): Promise<boolean>

  /**
   * Redeems a token: of N concurrent calls, on whatever nodes, exactly one gets `'consumed'`.
   *
   * The key stays `'used'` until the lifespan ends, and no later `put` makes it new.
   *
   * Safe to repeat after a lost reply only with an `attempt`, see {@link ConsumeOptions}.
   *
   * @see RFC 6749 §4.1.2 — a code must not be used more than once
   *
   * @example
   * ```ts
   * const redeemed = await state.actionTokens.consume('acme', 'code', 'SplxlOBeZQQYbYS6WxSbIA')
   * if (redeemed.outcome === 'consumed') console.log(redeemed.data)
   * if (redeemed.outcome === 'used') await state.actionTokens.revokeFamily('acme', 'id of the grant')
   * ```
   */
  consume(realmId: string, kind: string, key: string, options?: ConsumeOptions): Promise<ConsumeOutcome>

  /**
   * Gives a token to one caller and forgets it, so that the key may be stored again: of N concurrent calls exactly one gets it.
   *
   * A token that was consumed stays `'used'`, and `take` does not give it away. Not safe to repeat after a lost reply: the
   * first call may have removed the token.
   *
   * @returns the token, or `undefined` when there is none that could still be consumed
   */
  take(realmId: string, kind: string, key: string): Promise<TokenRecord | undefined>

  /**
   * Counts a try, such as a guess of a one-time code, on all nodes together. The window begins with the first try; no later one
   * moves its end, whatever `windowMs` it brings. Kinds and keys of counts are apart from those of tokens.
   *
   * Not safe to repeat after a lost reply: it may count twice.
   *
   * @param options.windowMs Whole ms above 0, at most `limits.maxLifespanMs`.
   * @throws {RangeError} the window is longer
   *
   * @example
   * ```ts
   * const { count } = await state.actionTokens.countUse('acme', 'mail', 'ada@example.com', { windowMs: 3_600_000 })
   * if (count > 5) console.log('too many mails')
   * ```
   */
  countUse(
    realmId: string,
    kind: string,
    key: string,
    options: { readonly windowMs: number },
  ): Promise<UseCount>

  /** Forgets a token, consumed or not: of N concurrent calls exactly one gets `true`. */
  remove(realmId: string, kind: string, key: string): Promise<boolean>

  /**
   * Withdraws every token of a family that was not consumed, of whatever kind, and refuses what joins it later. Consumed
   * tokens stay `'used'`.
   *
   * Atomic per partition: once it has resolved, nothing of the family can be consumed. Safe to repeat; a later end of the
   * refusal is never shortened.
   *
   * @param revocation Its end says how long late joiners are refused, with no ceiling. Left out: `limits.maxLifespanMs`, as
   *   long as whatever came of the grant can live. Where you know when the grant itself ends, such as the end of its session,
   *   give that: the mark is kept in every partition. Never less than what is stored of the family lives. For a grant that
   *   goes on with new tokens, say `refuse: false`: what is stored while the call lasts may then stay.
   * @returns how many tokens could still be consumed
   * @see RFC 6749 §10.5 — tokens that came from a replayed code should be revoked
   *
   * @example
   * ```ts
   * // A code came twice: revoke every token that was issued for it.
   * await state.actionTokens.revokeFamily('acme', 'grant-1')
   * ```
   */
  revokeFamily(realmId: string, family: string, revocation?: FamilyRevocation): Promise<number>

  /**
   * The living tokens about a subject, a page at a time, in no order that a caller may rely on: what a user has granted. Those
   * that were consumed are left out unless `consumed` asks for them.
   *
   * Of those that are there all the while none is missed and none comes twice. A page may have fewer tokens than it may have.
   */
  listBySubject(realmId: string, subject: string, options?: ListOptions): Promise<Page<ListedToken>>

  /** Withdraws every token about a subject that was not consumed; later ones are not refused. Safe to repeat. */
  removeBySubject(realmId: string, subject: string): Promise<number>

  /** Forgets everything of a realm, revoked tokens and families and counts included. @returns how many tokens could still be consumed */
  removeByRealm(realmId: string): Promise<number>

  /**
   * Marks a token id as revoked, for as long as is asked: no ceiling shortens it.
   *
   * Safe to repeat; a later end is never shortened. An `expiresAt` that has passed leaves nothing to revoke.
   *
   * @param until The end of the token, with the tolerance that you grant when you check its `exp`. A number is a `lifespanMs`.
   *
   * @example
   * ```ts
   * await state.actionTokens.revoke('acme', 'jti of an access token', { expiresAt: 1_900_000_000_000 })
   * console.log(await state.actionTokens.isRevoked('acme', 'jti of an access token')) // true
   * ```
   */
  revoke(realmId: string, tokenId: string, until: number | Lifetime): Promise<void>

  /** Whether a token id was revoked and the end of its mark has not come. */
  isRevoked(realmId: string, tokenId: string): Promise<boolean>

  /**
   * A signed token for a link that leaves the server. It is single use through {@link consumeActionToken}.
   *
   * @returns a JWS in compact form, of URL-safe characters
   * @throws {RangeError} it would live longer than `limits.maxLifespanMs`
   * @throws {ConfigurationError} on Redis, when no keyring is configured: another node could not verify it
   *
   * @example
   * ```ts
   * const token = await state.actionTokens.issueActionToken('acme', {
   *   userId: 'u-1',
   *   actionId: 'verify-email',
   *   lifespanMs: 900_000,
   * })
   * console.log(`https://login.example.com/link/${token}`)
   * ```
   */
  issueActionToken(realmId: string, token: NewActionToken): Promise<string>

  /**
   * Looks at a signed token without consuming it, as for a mail scanner that opens every link.
   *
   * Anything malformed, forged or foreign is `'invalid'`, never an exception.
   *
   * @param actionId The action the caller is about to do; a token for another one is `'invalid'`.
   */
  verifyActionToken(realmId: string, token: string, actionId: string): Promise<VerifyOutcome>

  /** {@link verifyActionToken} and redeem: of N concurrent calls exactly one gets `'valid'`. */
  consumeActionToken(
    realmId: string,
    token: string,
    actionId: string,
    options?: { readonly attempt?: string | undefined },
  ): Promise<VerifyOutcome>

  /**
   * Tells a listener what this node does from now on. A listener that throws, or rejects when it is an async function, is
   * logged once and harms neither the verb nor the others.
   *
   * @param event `'*'`: all of them.
   * @returns Call it to stop.
   */
  on<E extends keyof ActionTokenEvents | '*'>(
    event: E,
    listener: (event: EventOf<ActionTokenEvents, E>) => void,
  ): () => void
}

/** Names the SPI in the registry and in configurations. */
export const actionTokenSpi = defineSpi<ActionTokenProvider>('action-token')
