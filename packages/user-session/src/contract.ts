/**
 * User sessions: who is signed in, at which clients, and for how long.
 *
 * A user session belongs to one user of one realm and holds one client session per client the user signed in to. It
 * exists online, and as an offline copy with the same id and a life of its own. Nothing of one realm is reachable
 * from another: a foreign id is an unknown id.
 *
 * Every verb on one session is one atomic step. A session or client session whose `expiresAt` is now or earlier is
 * gone for every verb. Reading never extends a life; every write computes it anew from the realm's time-outs of that
 * moment. A verb on something gone answers `undefined` or `false` and never brings it back.
 *
 * Every method throws `TypeError` or `RangeError` for a bad argument, which it names, and then nothing was written;
 * `StoreUnavailableError` when the store did not answer; `ProviderClosedError` after `close()`.
 *
 * @module
 */
import { ConflictError, defineSpi, type Provider } from '@authstate/spi'

/** Where a session stands on its way out. A fresh session has no state. */
export type UserSessionState = 'LOGGED_IN' | 'LOGGING_OUT' | 'LOGGED_OUT' | 'LOGGED_OUT_UNCONFIRMED'

/** A user's login, as it was when it was read. Plain data: changing it changes nothing in the store. */
export interface UserSession {
  /** 24 characters, minted by the store, unguessable. An offline copy has the id of its online twin. */
  readonly id: string
  readonly realmId: string
  readonly userId: string
  readonly offline: boolean
  readonly loginUsername: string
  readonly ipAddress?: string
  readonly authMethod?: string
  readonly rememberMe: boolean
  readonly brokerSessionId?: string
  readonly brokerUserId?: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Milliseconds since the epoch; never moves back. */
  readonly lastRefreshAt: number
  /** Milliseconds since the epoch; from this instant on the session is gone. */
  readonly expiresAt: number
  readonly state?: UserSessionState
  readonly notes: Readonly<Record<string, string>>
  /** The living client sessions by client id. */
  readonly clients: ReadonlyMap<string, ClientSession>
}

/** A user session's presence at one client. */
export interface ClientSession {
  readonly clientId: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Milliseconds since the epoch; never moves back. */
  readonly lastRefreshAt: number
  /** Milliseconds since the epoch. It may lie behind that of the user session, which ends both. */
  readonly expiresAt: number
  readonly protocol?: string
  readonly redirectUri?: string
  readonly action?: string
  readonly notes: Readonly<Record<string, string>>
}

/** What a client session is made of. */
export interface NewClientSession {
  readonly clientId: string
  readonly protocol?: string | undefined
  readonly redirectUri?: string | undefined
  readonly action?: string | undefined
  readonly notes?: Readonly<Record<string, string>> | undefined
}

/** What a user session is made of. */
export interface NewUserSession {
  readonly userId: string
  readonly loginUsername: string
  readonly ipAddress?: string | undefined
  readonly authMethod?: string | undefined
  /** @default false */
  readonly rememberMe?: boolean | undefined
  /** Id of the login at the identity provider behind this one. It need not be unique. */
  readonly brokerSessionId?: string | undefined
  /** The user as the identity provider knows it. */
  readonly brokerUserId?: string | undefined
  readonly notes?: Readonly<Record<string, string>> | undefined
  /** The first client session, made in the same step. */
  readonly client?: NewClientSession | undefined
}

/** {@link NewUserSession} for `create`. */
export interface CreateUserSession extends NewUserSession {
  /**
   * `true`: the session is worked out and handed back, and nothing is stored: it is never found, listed or counted.
   * @default false
   */
  readonly transient?: boolean | undefined
}

/** Changes to a user session; what is left out stays. A note of `null` is removed. */
export interface UserSessionPatch {
  /** `null` removes the state. */
  readonly state?: UserSessionState | null | undefined
  readonly notes?: Readonly<Record<string, string | null>> | undefined
}

/** Changes to a client session; what is left out stays, `null` removes. */
export interface ClientSessionPatch {
  readonly clientId: string
  readonly protocol?: string | null | undefined
  readonly redirectUri?: string | null | undefined
  readonly action?: string | null | undefined
  readonly notes?: Readonly<Record<string, string | null>> | undefined
}

/** Which of the twins is meant. */
export interface SessionScope {
  /** @default false */
  readonly offline?: boolean | undefined
}

/** A session as one client sees it. */
export interface ClientScope extends SessionScope {
  /** Only if this client session lives, and then `clients` holds this one alone. */
  readonly clientId?: string | undefined
}

/** Which part of a listing is asked for. */
export interface PageRequest extends SessionScope {
  /** 1 to 100. @default 20 */
  readonly limit?: number | undefined
  /** `cursor` of the page before. */
  readonly cursor?: string | undefined
}

/** A part of a listing. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Where the next page begins; absent on the last one. Opaque. */
  readonly cursor?: string
}

/** The instants that a refresh moves, in milliseconds since the epoch. */
export interface SessionTimes {
  readonly lastRefreshAt: number
  readonly expiresAt: number
}

/** Why a session was not created: a limit was reached, or the user's or realm's sessions were ended meanwhile. */
export type RefusalReason = 'user-limit' | 'client-limit' | 'ended'

/** What `tryCreate` answers. */
export type CreateOutcome =
  | { readonly outcome: 'created'; readonly session: UserSession }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason }

/** A session was not created for a reason that is no fault of the store. */
export class SessionRefusedError extends ConflictError {
  readonly reason: RefusalReason

  constructor(reason: RefusalReason) {
    super(
      reason === 'ended'
        ? 'user-session: the sessions of this user or realm were ended after this login began'
        : `user-session: the limit of sessions is reached (${reason})`,
    )
    this.reason = reason
  }
}

/** One presentation of a refresh token. */
export interface TokenRotation {
  /**
   * What all refresh tokens of one code exchange have in common, and no other token has. The state of a rotation is
   * kept per family, so that two tabs do not disturb each other.
   */
  readonly family: string
  /** Id of the token that is presented. */
  readonly presented: string
  /** Id of the token to be issued for it. */
  readonly next: string
  /**
   * When the presented token was issued, in milliseconds since the epoch. A JWT's `iat` times 1000 will do; what it
   * leaves open is a token that was never rotated, of a client session that ended and began again in that second.
   */
  readonly issuedAt: number
  /** How often a token may be presented beyond the first time. */
  readonly maxReuse: number
  /**
   * Names the request. Presented again under the same name within `graceMs`, because the answer got lost, a token
   * gets the same successor and no use is counted.
   */
  readonly attempt?: string | undefined
  /** @default 0 */
  readonly graceMs?: number | undefined
}

/** {@link TokenRotation} in a client session. */
export interface ClientTokenRotation extends TokenRotation, SessionScope {
  readonly clientId: string
}

/** {@link TokenRotation} without a stored session. */
export interface TransientTokenRotation extends TokenRotation {
  /** How long the state of the family is kept after this step: the life of the token to be issued, in milliseconds. */
  readonly lifespanMs: number
}

/**
 * - `rotated`: issue the token whose id is `successor`; it is `next`, or within the grace the one issued before.
 * - `reused`: presented more often than allowed. The client session ended in this step.
 * - `stale`: a token from before the last rotation. The client session ended in this step; it stays when the token
 *   belongs to an earlier client session of this client.
 * - `gone`: there is no such session, or it has no such client session.
 */
export type RotationOutcome =
  | { readonly outcome: 'rotated'; readonly successor: string }
  | { readonly outcome: 'reused' | 'stale' | 'gone' }

/** What made a session end before its time. */
export type RemovalReason = 'removed' | 'user' | 'realm' | 'limit' | 'last-client' | 'restarted'

/** Something that happened to a whole session. */
export interface UserSessionEvent {
  readonly type: 'created' | 'removed' | 'expired'
  readonly realmId: string
  readonly sessionId: string
  readonly offline: boolean
  /** Absent only when an expired record could not be read any more. */
  readonly userId?: string
  /** Clients the session had, the expired ones included. */
  readonly clientIds: readonly string[]
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Of a removal. */
  readonly reason?: RemovalReason
}

export type UserSessionEventType = UserSessionEvent['type']
export type UserSessionListener = (event: UserSessionEvent) => void

/** What the store has met since it was opened. */
export interface UserSessionStats {
  /** Reads that found a record of an unknown version or one that could not be decoded: absent for the caller. */
  readonly unreadable: number
  /** Sessions that this node's sweep has ended. */
  readonly swept: number
}

/** Keeps user sessions. */
export interface UserSessionProvider extends Provider {
  /**
   * Creates a session under a fresh id, with its first client session in the same step.
   *
   * Not safe to repeat after a lost answer: the first one may live on until it expires.
   *
   * @throws {SessionRefusedError} where `tryCreate` answers `refused`
   */
  create(realmId: string, session: CreateUserSession): Promise<UserSession>

  /**
   * {@link create} for callers who expect to be refused.
   *
   * The limits of the configuration are decided in the step that creates: n logins at once never exceed them.
   */
  tryCreate(realmId: string, session: CreateUserSession): Promise<CreateOutcome>

  get(realmId: string, id: string, options?: ClientScope): Promise<UserSession | undefined>

  /**
   * Notes that the session, and the client session named, are in use, and extends their lives.
   *
   * Monotonic: `lastRefreshAt` never moves back. With `clientId`, nothing is refreshed unless that client session
   * lives. Safe to repeat.
   *
   * @returns The session afterwards; with `clientId`, with that client session alone.
   */
  refresh(realmId: string, id: string, options?: ClientScope): Promise<UserSession | undefined>

  /** {@link refresh} that answers the session's new instants only: the cheapest write there is. */
  touch(realmId: string, id: string, options?: ClientScope): Promise<SessionTimes | undefined>

  /** Merges changes in: concurrent patches of different notes all last. Safe to repeat. */
  update(
    realmId: string,
    id: string,
    patch: UserSessionPatch,
    options?: SessionScope,
  ): Promise<UserSession | undefined>

  /**
   * Begins an online session anew for the same user: the id stays, notes, state, client sessions and what was known
   * of their refresh tokens go.
   *
   * @throws {TypeError} the session belongs to another user, who needs a session with an id of its own
   */
  restart(realmId: string, id: string, session: NewUserSession): Promise<UserSession | undefined>

  /** Ends a session with its client sessions; the twin is not touched. @returns `false` when there is none. */
  remove(realmId: string, id: string, options?: SessionScope): Promise<boolean>

  /**
   * Adds a client session, or replaces what a living one holds: then its `startedAt` and what is known of its
   * refresh tokens stay. The user session is not refreshed. Safe to repeat.
   *
   * @throws {SessionRefusedError} the user may have no more sessions at this client
   */
  putClientSession(
    realmId: string,
    id: string,
    client: NewClientSession,
    options?: SessionScope,
  ): Promise<UserSession | undefined>

  /** Merges changes into a client session. Safe to repeat. */
  updateClientSession(
    realmId: string,
    id: string,
    patch: ClientSessionPatch,
    options?: SessionScope,
  ): Promise<UserSession | undefined>

  /**
   * Ends a client session. The user session stays, without clients when it was the last; `endWhenLast` ends it then.
   *
   * @returns `false` when there is none.
   */
  removeClientSession(
    realmId: string,
    id: string,
    clientId: string,
    options?: SessionScope & { readonly endWhenLast?: boolean | undefined },
  ): Promise<boolean>

  /**
   * Copies an online session, with the living client sessions named or all of them, into an offline session of the
   * same id that starts now; the online one is not touched. Where the offline session exists it is refreshed, and
   * only what is missing is copied.
   *
   * @returns The offline session; `undefined` without a living online one.
   */
  createOffline(
    realmId: string,
    id: string,
    options?: { readonly clientIds?: readonly string[] | undefined },
  ): Promise<UserSession | undefined>

  /**
   * Exchanges a refresh token for its successor: of n presentations at once of one token exactly `1 + maxReuse`
   * rotate, and the next one ends the client session in that same step.
   *
   * @see Keycloak, revoke refresh token; RFC 9700 §4.14.2
   */
  rotateRefreshToken(realmId: string, id: string, rotation: ClientTokenRotation): Promise<RotationOutcome>

  /**
   * {@link rotateRefreshToken} for tokens of a transient session, of which nothing else is stored: the family keeps
   * its own state. `reused` and `stale` end the family.
   */
  rotateTransientToken(realmId: string, rotation: TransientTokenRotation): Promise<RotationOutcome>

  /**
   * Living sessions of a user, soonest to expire first.
   *
   * Pages are disjoint; a session refreshed meanwhile may be seen again, one that lives throughout is never missed.
   */
  listByUser(realmId: string, userId: string, page?: PageRequest): Promise<Page<UserSession>>
  /** Living sessions with a living client session of the client. Pages as in {@link listByUser}. */
  listByClient(realmId: string, clientId: string, page?: PageRequest): Promise<Page<UserSession>>
  /** Living sessions of a user of an identity provider. Pages as in {@link listByUser}. */
  listByBrokerUser(realmId: string, brokerUserId: string, page?: PageRequest): Promise<Page<UserSession>>
  /** Living sessions of a realm. Pages as in {@link listByUser}. */
  list(realmId: string, page?: PageRequest): Promise<Page<UserSession>>

  /** A living session that came from this login at an identity provider; when there are several, any of them. */
  findByBrokerSession(
    realmId: string,
    brokerSessionId: string,
    options?: SessionScope,
  ): Promise<UserSession | undefined>

  /** Number of living sessions of a realm. */
  count(realmId: string, options?: SessionScope): Promise<number>
  /** Number of living sessions with a living client session of the client. */
  countByClient(realmId: string, clientId: string, options?: SessionScope): Promise<number>
  /** {@link countByClient} for every client that has any. */
  clientStats(realmId: string, options?: SessionScope): Promise<ReadonlyMap<string, number>>

  /**
   * Ends the sessions of a user, but for the one with the id `except`.
   *
   * A fence in time: when it resolves, no other session of that user that began before this call lives, and a
   * creation that began before it and arrives later is refused. Nodes with clocks apart refuse for that long.
   *
   * @returns How many ended.
   */
  removeByUser(
    realmId: string,
    userId: string,
    options?: SessionScope & { readonly except?: string | undefined },
  ): Promise<number>

  /** Ends the client sessions of a client; the user sessions stay. @returns How many ended. */
  removeByClient(realmId: string, clientId: string, options?: SessionScope): Promise<number>

  /** Ends every session of a realm, online and offline; a fence like {@link removeByUser}. @returns How many ended. */
  removeByRealm(realmId: string): Promise<number>

  /**
   * Computes the life of every session and client session of a realm anew, after its time-outs changed; what is past
   * its end by the new rules ends as expired. Without it the next write to each follows.
   *
   * @returns How many sessions were visited.
   */
  recompute(realmId: string): Promise<number>

  /**
   * Ends what has expired, frees its memory and tells `expired`. Runs by itself in an interval; at most one node at a
   * time sweeps a part of the store.
   *
   * @returns How many sessions ended.
   */
  sweep(): Promise<number>

  /**
   * Listens. `created` and `removed` are told on the node that did it, after it is done; `expired` on the node that
   * sweeps, at least once across all nodes. What a listener throws is logged and reaches nobody.
   *
   * @returns Ends the listening.
   */
  on(type: UserSessionEventType, listener: UserSessionListener): () => void

  stats(): UserSessionStats
}

export const userSessionSpi = defineSpi<UserSessionProvider>('user-session')
