/**
 * Sessions of web applications: opaque data under an id that a framework chose.
 *
 * An id from outside carries no partition, is written whole by code that read it a while ago, and may be saved by a slow
 * request after another one ended it. What this SPI adds to a key-value store: such a save is refused, changes of different
 * names do not undo each other, and all sessions of a user can be found and ended.
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

export type { JsonValue }

/** What an application keeps for a browser: an object of JSON values. A name is any text but `__proto__`. */
export type SessionData = Readonly<Record<string, JsonValue>>

/** Names and values by which sessions can be listed and ended: `{ sid: '…' }`, `{ client: '…' }`. */
export type Labels = Readonly<Record<string, string>>

/** A session as it is stored. */
export interface WebSession {
  readonly id: string
  readonly data: SessionData
  /** Whose it is. Absent before somebody signed in. */
  readonly userId?: string
  /** When the sign-in began that made it this user's, ms since the epoch. There when `userId` is. */
  readonly authenticatedAt?: number
  /** Empty when it has none. */
  readonly labels: Labels
  /** Another id by which `find` finds it. */
  readonly alias?: string
  /** Which of the lives of this id; `''` where ids are never used twice. */
  readonly generation: string
  /** Ms since the epoch. */
  readonly createdAt: number
  /** When it was changed last, ms since the epoch. */
  readonly savedAt: number
  /** Ms since the epoch; from this instant on it has expired. */
  readonly expiresAt: number
  /** 1 after the first save, one more with every change. */
  readonly version: number
}

/**
 * When a session ends: after a span that begins now, or at an instant.
 *
 * A framework that computed an instant with the host's clock knows a span: give what is left of it by that clock, as
 * `lifeUntil` does. An `expiresAt` is one of the provider's clock.
 */
export type Lifetime =
  /** Whole ms, above 0. */
  | { readonly lifespanMs: number; readonly expiresAt?: undefined }
  /** Ms since the epoch, by the provider's `clock`. One that has passed ends the session. */
  | { readonly expiresAt: number; readonly lifespanMs?: undefined }

/** A session to be stored whole: its end, at most `limits.maxLifespanMs` away, and all it holds. */
export type NewWebSession = Lifetime & {
  readonly data: SessionData
  /** The user it belongs to. Left out: none. */
  readonly userId?: string | undefined
  /**
   * When the sign-in began that makes the session this user's, ms since the epoch by the provider's `clock`: what
   * `removeByUser` compares with. Read it before you check the credentials. Of no account where the session is the user's
   * already. @default now
   */
  readonly authenticatedAt?: number | undefined
  /** At most 8, names and values of 1 to 512 bytes. */
  readonly labels?: Labels | undefined
  readonly alias?: string | undefined
  /**
   * Which of the lives of this id it is. A new one takes the place of an older one, which is then ended: what saves that
   * later is refused. @default ''
   */
  readonly generation?: string | undefined
  /** `true`: a session that is not there, in this generation, stays unknown. For what was loaded before. @default false */
  readonly mustExist?: boolean | undefined
  /**
   * Save over this version of this generation and over no other; where there is none, nothing is stored. 0: only where there
   * is none of this generation, so that of N concurrent calls exactly one stores.
   */
  readonly ifVersion?: number | undefined
}

/** What became of a save. Only `stored` changed anything. */
export type SaveOutcome =
  | { readonly outcome: 'stored'; readonly version: number }
  /** The session was ended, the user's sessions were, or its `expiresAt` has passed. */
  | { readonly outcome: 'refused' }
  /** `mustExist` or an `ifVersion` above 0 was asked for, and there is none in this generation. */
  | { readonly outcome: 'absent' }
  /** Another version than `ifVersion` is there. */
  | { readonly outcome: 'conflict' }

/** A change of a session. What is left out stays as it is. */
export interface WebSessionPatch {
  /** Names that get another value; all others stay as they are. */
  readonly set?: SessionData | undefined
  /** Names that go. None of them may be in `set`. */
  readonly unset?: readonly string[] | undefined
  /** It lives this long from now, whole ms above 0. May be shorter than before. Not beside `expiresAt`. */
  readonly lifespanMs?: number | undefined
  /** It lives until then, ms since the epoch by the provider's `clock`. May be earlier than before; what has passed ends it. */
  readonly expiresAt?: number | undefined
  /** Gives the session to a user after a sign-in; `null` takes it from its user after a sign-out. */
  readonly userId?: string | null | undefined
  /** When that sign-in began: see {@link NewWebSession}. @default now */
  readonly authenticatedAt?: number | undefined
  /** Change this life of the id and no other: for what was loaded before. Left out: the one that is there. */
  readonly generation?: string | undefined
  /** Change this version and no other. */
  readonly ifVersion?: number | undefined
}

/** What a provider takes, and how long it remembers what ended. What is above is refused, never cut. */
export interface WebSessionLimits {
  /** Longest life that a save or an update can give, ms. */
  readonly maxLifespanMs: number
  /** Longest JSON of a session's data, bytes of UTF-8. */
  readonly maxDataBytes: number
  /** How long at least what ended stays refused, ms. */
  readonly tombstoneMs: number
}

/** Why a session ended. */
export type RemovalReason =
  /** `remove`, or an end that had passed when it was given. */
  | 'removed'
  /** Another generation took its id. */
  | 'replaced'
  /** `removeByUser`. */
  | 'user'
  /** `removeByLabel`. */
  | 'label'
  /** `removeByRealm`. */
  | 'realm'

/** Why a save or an update was refused. */
export type RefusalReason =
  /** The session was ended before. */
  | 'ended'
  /** The user's sessions were ended after this sign-in began. */
  | 'user'

/** What this node did, emitted after it is done. What other nodes do, and what only expires, is not emitted. */
export interface WebSessionEvents {
  /** A session was stored where none of its generation was alive. */
  readonly created: {
    readonly type: 'created'
    readonly realmId: string
    readonly sessionId: string
    /** Absent before somebody signed in. */
    readonly userId?: string
  }
  /** It ended before its time, for a `reason`. */
  readonly removed: {
    readonly type: 'removed'
    readonly realmId: string
    readonly sessionId: string
    /** Absent when it belonged to no user. */
    readonly userId?: string
    readonly reason: RemovalReason
  }
  /** A save or an update came after its session was ended, or a sign-in after the user was signed out. */
  readonly refused: {
    readonly type: 'refused'
    readonly realmId: string
    readonly sessionId: string
    /** Whose it should have been. */
    readonly userId?: string
    readonly reason: RefusalReason
  }
}

/**
 * Keeps sessions of applications. Every verb on one session is one atomic step; reading never extends a life; what has
 * ended stays ended.
 *
 * Every verb throws `TypeError` or `RangeError` for a bad argument, which it names, and then nothing was written;
 * `StoreUnavailableError` when the store did not answer; `ProviderClosedError` after `close()`. An unreadable record is absent.
 */
export interface WebSessionProvider extends Provider {
  /** What this provider takes at most, for an adapter that must know before it promises. */
  readonly limits: WebSessionLimits

  /**
   * Stores a session whole: new, or in place of what is there. `createdAt` stays while the generation does.
   *
   * Safe to repeat after a lost reply without `ifVersion`: only `version` is one higher then.
   *
   * @returns `'refused'` when a session of this id and generation was ended and its mark still stands, when the user's
   *   sessions were ended after `authenticatedAt`, or when `expiresAt` has passed, which ends the session as `remove` does
   * @throws {TypeError} the data are no JSON, or a name is none
   * @throws {RangeError} the data exceed `limits.maxDataBytes`, or the life `limits.maxLifespanMs`
   *
   * @example
   * ```ts
   * const saved = await state.webSessions.save('acme', 'id of the framework', {
   *   data: { cart: ['book'] },
   *   lifespanMs: 8 * 3_600_000,
   *   userId: 'u-1',
   * })
   * console.log(saved.outcome)
   * ```
   */
  save(realmId: string, id: string, session: NewWebSession): Promise<SaveOutcome>

  /**
   * Changes names, the end, or the user of a session that is there; it never creates. Of updates at once all take effect,
   * name by name. Without `set` and `unset` it is a touch: the data do not travel.
   *
   * Safe to repeat after a lost reply without `ifVersion`.
   *
   * @returns the session's new version; `undefined` when there is none, another one (`generation`, `ifVersion`), a user whose
   *   sessions were ended after `authenticatedAt`, or an `expiresAt` that has passed, which ends the session. Otherwise nothing changes then
   * @throws {RangeError} as {@link save}; of the data as they would be, and nothing is changed
   *
   * @example
   * ```ts
   * await state.webSessions.update('acme', 'id of the framework', { set: { cart: [] }, unset: ['coupon'] })
   * ```
   */
  update(realmId: string, id: string, patch: WebSessionPatch): Promise<number | undefined>

  /** The session, or `undefined` when there is none. */
  get(realmId: string, id: string): Promise<WebSession | undefined>

  /** The living session that bears an alias now, of several the one created last. */
  find(realmId: string, alias: string): Promise<WebSession | undefined>

  /**
   * Ends a session. Its id stays refused, for the generation that it had, for its remaining life and for
   * `limits.tombstoneMs` at least. An id that was never stored is refused as well: its first save may be on the way.
   *
   * Safe to repeat.
   *
   * @param options.generation End this generation and no other. Left out: whichever is there; where there is none, `''`.
   * @returns whether it was alive: of N concurrent calls exactly one gets `true`
   *
   * @example
   * ```ts
   * await state.webSessions.remove('acme', 'id of the framework') // a logout
   * ```
   */
  remove(
    realmId: string,
    id: string,
    options?: { readonly generation?: string | undefined },
  ): Promise<boolean>

  /**
   * The living sessions of a realm, a page at a time, in no order that a caller may rely on.
   *
   * A page shows what is alive when it is read: no session that has ended, however a store keeps its indexes. It may have fewer
   * sessions than `limit` although others follow; only a page without a `cursor` is the last.
   *
   * Of those whose end does not move between two pages none is missed and none comes twice. One that is prolonged may come
   * again, one that is shortened may be passed over.
   */
  list(realmId: string, page?: PageOptions): Promise<Page<WebSession>>

  /**
   * The living sessions of a user: as {@link list}.
   *
   * @example
   * ```ts
   * for (const { id, expiresAt } of (await state.webSessions.listByUser('acme', 'u-1')).items) console.log(id, expiresAt)
   * ```
   */
  listByUser(realmId: string, userId: string, page?: PageOptions): Promise<Page<WebSession>>

  /** The living sessions that bear a label: as {@link list}. */
  listByLabel(realmId: string, name: string, value: string, page?: PageOptions): Promise<Page<WebSession>>

  /** How many sessions of a realm are alive, to the millisecond of their ends. */
  count(realmId: string): Promise<number>

  /**
   * Ends every session of a user, and refuses sign-ins that began before this call, for `limits.tombstoneMs`.
   *
   * Atomic per partition: once it has resolved, no session of the user whose sign-in began before is alive, but for `except`.
   * A sign-in that begins afterwards stands. Safe to repeat.
   *
   * @param options.except Id of the session that stays: the one that the user is looking at.
   * @returns how many were alive
   */
  removeByUser(
    realmId: string,
    userId: string,
    options?: { readonly except?: string | undefined },
  ): Promise<number>

  /**
   * Ends every session that bears a label now. Later ones are not refused. Safe to repeat.
   *
   * @returns how many were alive
   * @see OpenID Connect Back-Channel Logout 1.0 §2.7
   */
  removeByLabel(realmId: string, name: string, value: string): Promise<number>

  /**
   * Ends every session of a realm. The realm can be used again at once; each of these sessions stays refused. Not one step: a
   * session that is made meanwhile may stay. Safe to repeat.
   *
   * @returns how many were alive
   */
  removeByRealm(realmId: string): Promise<number>

  /**
   * Tells a listener what this node does from now on. A listener that throws, or rejects when it is an async function, is
   * logged once and harms neither the verb nor the others.
   *
   * @param event `'*'`: all of them.
   * @returns Call it to stop.
   */
  on<E extends keyof WebSessionEvents | '*'>(
    event: E,
    listener: (event: EventOf<WebSessionEvents, E>) => void,
  ): () => void
}

/** Names the SPI in the registry and in configurations. */
export const webSessionSpi = defineSpi<WebSessionProvider>('web-session')
