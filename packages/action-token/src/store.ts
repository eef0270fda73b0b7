import type { CheckedPage, PagePosition } from '@authstate/spi'
import type { UseCount } from './contract.js'
import type { Attempt, AttemptReply, Listed, StoredToken, TokenDraft } from './rules.js'

/** Which token. Names are checked, and may hold any character: no way to join them may make two of them one. */
export interface TokenName {
  readonly realmId: string
  readonly kind: string
  readonly key: string
}

/** How a token is stored. */
export interface PutOptions {
  readonly now: number
  /** What ended then or before is of no more use: now, less `readGraceMs`. A token is kept until it ends by this. */
  readonly goneBy: number
  /** Refuse when the key is taken. */
  readonly onlyAbsent: boolean
}

/** What is removed with a family in addition to what can still be consumed, and what is refused. */
export interface Revocation {
  /** What joins the family is refused until then, ms since the epoch; `undefined`: it is not refused. */
  readonly until: number | undefined
  /** What was consumed is removed, too. */
  readonly consumed: boolean
}

/** A token of a listing, as it is stored. */
export interface StoredListing {
  readonly kind: string
  readonly key: string
  readonly token: StoredToken | 'unreadable'
}

/** Tokens about a subject, in the order of `positionOf`. */
export interface TokenPage {
  readonly items: readonly StoredListing[]
  /** Where it goes on. Absent at the end. */
  readonly end?: PagePosition | undefined
}

/**
 * What a store of tokens can do, one atomic step each: of calls at once, on whatever nodes, each sees all of another or none
 * of it. `ActionTokens` is the contract over it, written once. All that a store is given was checked; instants are ms since
 * the epoch, by the clock of the deployment, and a store asks no other clock.
 *
 * A step that fails throws a `StoreUnavailableError`, whose `applied` says whether it may have been done.
 */
export interface TokenStore {
  /** The character that keys minted now contain: the mark of this site. @default none: there is one site */
  readonly mark?: string | undefined
  /**
   * Stores a token where {@link mayReplace} says so and its family is not refused. It has not ended.
   *
   * @returns whether it was stored
   */
  put(name: TokenName, token: TokenDraft, options: PutOptions): Promise<boolean>
  /**
   * The token, consumed or not. The caller judges whether it has ended; a token that ended long ago may be
   * removed.
   */
  load(name: TokenName): Promise<StoredToken | 'unreadable' | undefined>
  /** Changes the data of a token that has neither ended nor been consumed, and nothing else. @returns whether there was one */
  replace(name: TokenName, data: string, now: number): Promise<boolean>
  /** Does what {@link applyAttempt} says. */
  consume(name: TokenName, attempt: Attempt): Promise<AttemptReply>
  /** Removes a token, consumed or not. @returns whether it had not ended */
  remove(name: TokenName, now: number): Promise<boolean>
  /** Removes a token that has neither ended nor been consumed. @returns it, where there was one */
  take(name: TokenName, now: number): Promise<StoredToken | 'unreadable' | undefined>
  /** Keeps what {@link countedUse} says under a name, apart from tokens, until the window ends. */
  countUse(name: TokenName, windowMs: number, now: number): Promise<UseCount>
  /**
   * Removes every token of a family that was not consumed, and refuses what joins the family until then, if it is to be
   * refused: for longer where it is refused for longer already, or where what is left of the family ends later.
   *
   * @returns how many were removed that could still be consumed
   */
  revokeFamily(realmId: string, family: string, revocation: Revocation, now: number): Promise<number>
  /** Those that {@link isListed} lets through, behind a place. */
  listBySubject(realmId: string, subject: string, page: CheckedPage & Listed, now: number): Promise<TokenPage>
  /** Removes every token about a subject that was not consumed. @returns how many of them had not ended */
  removeBySubject(realmId: string, subject: string, now: number): Promise<number>
  /** Removes everything of a realm, marks and counts too. @returns how many tokens could still be consumed */
  removeByRealm(realmId: string, now: number): Promise<number>
  /** Marks a token id until then, which has not passed; for longer where it is marked for longer already. */
  revoke(realmId: string, tokenId: string, until: number, now: number): Promise<void>
  /** Until when a token id is marked. What has passed counts for nothing, and so does 0. */
  revokedUntil(realmId: string, tokenId: string): Promise<number>
  /** Resolves when the store can serve. */
  checkHealth?(): Promise<void>
  /** Ends what the store opened itself. Called once. */
  close?(): Promise<void>
}
