/**
 * User sessions: which users are signed in, at which clients, and for how long.
 *
 * A user session belongs to one user of one realm and holds one client session per client the user signed in to. It
 * exists online, and as an offline copy with the same id and a life of its own. Nothing of one realm is reachable
 * from another: a foreign id is an unknown id.
 *
 * Every verb on one session is one atomic step. A session or client session whose `expiresAt` is now or earlier has
 * expired for every verb. Reading never extends a life. Every write computes the life again from the realm's time-outs of
 * that moment, and ends what is over by these. A verb on what has ended answers `undefined` or `false` and never brings it
 * back.
 *
 * Every method throws `TypeError` or `RangeError` for a bad argument, which it names, and then nothing was written;
 * `StoreUnavailableError` when the store did not answer; `ProviderClosedError` after `close()`.
 *
 * @module
 */
import { defineSpi, type Provider } from '@authstate/spi'

import type {
  ClientRemoval,
  ClientScope,
  ClientSessionPatch,
  ClientTokenRotation,
  CreateOutcome,
  CreateUserSession,
  LimitedOutcome,
  NewClientSession,
  NewUserSession,
  OfflineCopy,
  Page,
  PageRequest,
  RotationOutcome,
  SessionScope,
  SessionTimes,
  TransientTokenRotation,
  TwinScope,
  UserRemoval,
  UserSession,
  UserSessionEventType,
  UserSessionListener,
  UserSessionListenerOptions,
  UserSessionPatch,
  UserSessionStats,
} from './records.js'

export * from './records.js'

/** Keeps user sessions. */
export interface UserSessionProvider extends Provider {
  /**
   * Creates a session under a fresh id, with its first client session in the same step.
   *
   * Do not retry after a lost reply: the first call may have created a session, which lives until it expires.
   *
   * The limits of the configuration are decided in the step that creates: n logins at once never exceed them. All that
   * apply are asked, from the narrowest to the widest: sessions at the client, online (or offline) sessions of the user,
   * both in all. A session that ends by one makes room for the next as well. Only a limit that was lowered asks for more
   * than one end per limit; beyond a hundred ends, they come in several steps before the one that creates. So are the
   * fences of {@link removeByUser} and {@link removeByRealm}, by `authenticatedAt`.
   *
   * @example
   * ```ts
   * const created = await state.userSessions.create('acme', {
   *   userId: 'u-1',
   *   loginUsername: 'ada',
   *   client: { clientId: 'shop' },
   * })
   * if (created.outcome === 'created') console.log(created.session.id)
   * else console.log('refused', created.reason)
   * ```
   */
  create(realmId: string, session: CreateUserSession): Promise<CreateOutcome>

  /**
   * The session of that id, if it lives. Reading does not extend its life.
   *
   * @example
   * ```ts
   * const session = await state.userSessions.get('acme', 'id of a session', { clientId: 'shop' })
   * console.log(session === undefined ? 'signed out' : session.loginUsername)
   * ```
   */
  get(realmId: string, id: string, options?: ClientScope): Promise<UserSession | undefined>

  /**
   * Notes that the session, and the client session named, are in use, and extends their lives.
   *
   * Monotonic: `lastRefreshAt` never moves back. With `clientId`, nothing is refreshed unless that client session
   * lives. Safe to repeat.
   *
   * @returns The session afterwards; with `clientId`, with that client session alone.
   *
   * @example
   * ```ts
   * const session = await state.userSessions.refresh('acme', 'id of a session', { clientId: 'shop' })
   * console.log(session === undefined ? 'ended: sign in again' : session.expiresAt)
   * ```
   */
  refresh(realmId: string, id: string, options?: ClientScope): Promise<UserSession | undefined>

  /**
   * {@link refresh} that answers the session's new instants only: the cheapest write there is.
   *
   * @example
   * ```ts
   * const times = await state.userSessions.touch('acme', 'id of a session', { clientId: 'shop' })
   * console.log(times === undefined ? 'signed out' : new Date(times.expiresAt))
   * ```
   */
  touch(realmId: string, id: string, options?: ClientScope): Promise<SessionTimes | undefined>

  /** Merges changes in: concurrent patches of different notes all last. Safe to repeat. */
  update(
    realmId: string,
    id: string,
    patch: UserSessionPatch,
    options?: SessionScope,
  ): Promise<UserSession | undefined>

  /**
   * Restarts an online session for the same user: the id stays, its notes, state and client sessions are removed. No
   * refresh token from before is accepted again.
   *
   * A restart is refused, and changes nothing, if the user may have no more sessions at this client. So it is if the user's
   * or realm's sessions were ended after this login began.
   *
   * @throws {TypeError} the session belongs to another user, who needs a session with an id of its own
   */
  restart(realmId: string, id: string, session: NewUserSession): Promise<LimitedOutcome>

  /**
   * Ends a session with its client sessions; the twin is not touched. @returns `false` when there is none.
   *
   * @example
   * ```ts
   * const wasThere = await state.userSessions.remove('acme', 'id of a session')
   * console.log(wasThere)
   * ```
   */
  remove(realmId: string, id: string, options?: SessionScope): Promise<boolean>

  /**
   * Adds a client session, or replaces what a living one holds: then its `startedAt` and what is known of its
   * refresh tokens stay. The user session is not refreshed. Safe to repeat. Refused where the user may have no more sessions at
   * this client.
   *
   * @example
   * ```ts
   * const joined = await state.userSessions.putClientSession('acme', 'id of a session', { clientId: 'mail' })
   * console.log(joined.outcome) // 'done', 'gone' or 'refused'
   * ```
   */
  putClientSession(
    realmId: string,
    id: string,
    client: NewClientSession,
    options?: SessionScope,
  ): Promise<LimitedOutcome>

  /** Merges changes into a client session. Safe to repeat. */
  updateClientSession(
    realmId: string,
    id: string,
    patch: ClientSessionPatch,
    options?: SessionScope,
  ): Promise<UserSession | undefined>

  /**
   * Ends a client session. The user session stays, without clients when it was the last; `endWhenLast` ends it then, and
   * its `removed` event names the client.
   *
   * @returns `false` when there is none.
   *
   * @example
   * ```ts
   * // The user signs out of one application, and of all when it was the last one.
   * await state.userSessions.removeClientSession('acme', 'id of a session', 'shop', { endWhenLast: true })
   * ```
   */
  removeClientSession(
    realmId: string,
    id: string,
    clientId: string,
    options?: ClientRemoval,
  ): Promise<boolean>

  /**
   * Copies an online session, with the living client sessions named or all of them, into an offline session of the
   * same id that starts now; the online one is not touched. Where the offline session exists it is refreshed, and
   * only what is missing is copied.
   *
   * Refused if the user may have no more offline sessions, or no more sessions in all. The online session itself does not
   * end to make room.
   *
   * @returns With the offline session; `gone` without a living online one, or when the user's or realm's offline sessions
   *   were ended after the login began, or that is more than an hour ago.
   *
   * @example
   * ```ts
   * const copy = await state.userSessions.createOffline('acme', 'id of a session', { clientIds: ['phone'] })
   * console.log(copy.outcome)
   * ```
   */
  createOffline(realmId: string, id: string, options?: OfflineCopy): Promise<LimitedOutcome>

  /**
   * Exchanges a refresh token for its successor: of n presentations at once of one token exactly `1 + maxReuse`
   * rotate, and the next one ends the client session in that same step.
   *
   * @see Keycloak, revoke refresh token; RFC 9700 §4.14.2
   *
   * @example
   * ```ts
   * const rotation = await state.userSessions.rotateRefreshToken('acme', 'id of a session', {
   *   clientId: 'shop',
   *   family: 'id of the code exchange',
   *   presented: 'jti of the token that came',
   *   next: 'jti of the token to issue',
   *   issuedAt: 1_700_000_000_000,
   *   maxReuse: 0,
   * })
   * if (rotation.outcome === 'rotated') console.log('issue', rotation.successor)
   * else console.log('answer invalid_grant')
   * ```
   */
  rotateRefreshToken(realmId: string, id: string, rotation: ClientTokenRotation): Promise<RotationOutcome>

  /**
   * {@link rotateRefreshToken} for tokens of a transient session, of which nothing else is stored: the family keeps
   * its own state. `reused` and `stale` end the family. A token from before the realm's `notBefore` is `gone`.
   * So is, for a year, one from before a {@link removeByRealm}: of a family that was never rotated `issuedAt` says it.
   */
  rotateTransientToken(realmId: string, rotation: TransientTokenRotation): Promise<RotationOutcome>

  /**
   * Living sessions of a user, soonest to expire first.
   *
   * Pages are disjoint; a session refreshed meanwhile may be seen again, one that lives throughout is never missed. The
   * last page comes when fewer sessions are refreshed between two pages than a page holds.
   *
   * @example
   * ```ts
   * const { items, cursor } = await state.userSessions.listByUser('acme', 'u-1', { limit: 20 })
   * console.log(items.length, cursor === undefined ? 'all' : 'more')
   * ```
   */
  listByUser(realmId: string, userId: string, page?: PageRequest): Promise<Page<UserSession>>
  /** Living sessions with a living client session of the client. Pages as in {@link listByUser}. */
  listByClient(realmId: string, clientId: string, page?: PageRequest): Promise<Page<UserSession>>
  /** Living sessions of a user of an identity provider. Pages as in {@link listByUser}. */
  listByBrokerUser(realmId: string, brokerUserId: string, page?: PageRequest): Promise<Page<UserSession>>
  /** Living sessions that came from a login at an identity provider. Pages as in {@link listByUser}. */
  listByBrokerSession(
    realmId: string,
    brokerSessionId: string,
    page?: PageRequest,
  ): Promise<Page<UserSession>>
  /** Living sessions of a realm. Pages as in {@link listByUser}. */
  list(realmId: string, page?: PageRequest): Promise<Page<UserSession>>

  /** A living session that came from this login at an identity provider; when there are several, any of them. */
  findByBrokerSession(
    realmId: string,
    brokerSessionId: string,
    options?: SessionScope,
  ): Promise<UserSession | undefined>

  /**
   * Number of living sessions of a realm.
   *
   * @example
   * ```ts
   * console.log(await state.userSessions.count('acme'))
   * ```
   */
  count(realmId: string, options?: SessionScope): Promise<number>
  /** Number of living sessions with a living client session of the client. */
  countByClient(realmId: string, clientId: string, options?: SessionScope): Promise<number>
  /** {@link countByClient} for every client that has any. */
  clientStats(realmId: string, options?: SessionScope): Promise<ReadonlyMap<string, number>>

  /**
   * Ends the sessions of a user, but for the one with the id `except`. `{ offline: 'both' }` signs the user out everywhere.
   *
   * A fence in time: when it resolves, no other session of that user that began before this call lives, and a
   * login that began before it is refused, however late its creation comes. A login of
   * another node that began in the same millisecond, or within the uncertainty of the clocks, is ended or refused as well.
   * On the same node a login that begins afterwards is accepted.
   *
   * @returns How many ended.
   *
   * @example
   * ```ts
   * // Sign out all other devices.
   * const ended = await state.userSessions.removeByUser('acme', 'u-1', { except: 'id of this session', offline: 'both' })
   * console.log(ended)
   * ```
   */
  removeByUser(realmId: string, userId: string, options?: UserRemoval): Promise<number>

  /** Ends the client sessions of a client; the user sessions stay. @returns How many ended. */
  removeByClient(realmId: string, clientId: string, options?: SessionScope): Promise<number>

  /**
   * Ends the sessions that came from a login at an identity provider, as its back-channel logout asks. No fence: a login of
   * it that is under way may still come.
   *
   * @returns How many ended.
   */
  removeByBrokerSession(realmId: string, brokerSessionId: string, options?: TwinScope): Promise<number>

  /**
   * Ends every session of a realm, online and offline; a fence like {@link removeByUser}. What begins after this call lives,
   * and does not hold it up.
   *
   * @returns How many ended.
   */
  removeByRealm(realmId: string): Promise<number>

  /**
   * Applies changed time-outs of a realm to every session and client session at once. What is past its end by the new
   * time-outs ends at once. If you do not call it, each session adopts the new time-outs at its next write.
   *
   * @returns How many sessions got another end.
   */
  recompute(realmId: string): Promise<number>

  /**
   * Ends what has expired, frees its memory and tells `expired`. Runs by itself in an interval; at most one node at a
   * time sweeps a part of the store. Many small steps: other callers of the store wait for one of them at most.
   *
   * @returns How many sessions ended.
   */
  sweep(): Promise<number>

  /**
   * Registers a listener. `created`, `removed` and `client-removed` are emitted on the node that did it, after it is done.
   * `expired` is emitted by the node that sweeps, at least once across all nodes: register on every node that sweeps. What a
   * listener throws, or rejects with when it is an async function, is logged once and does not reach the caller.
   *
   * A client session that only expires, while its user session lives, has no event: nothing is written then, and no
   * sweep looks for it. The event that ends its user session names it.
   *
   * @param type `'*'`: all of them.
   * @returns Ends the listening.
   * @throws {TypeError} notes are asked for of an event that has none
   */
  on<Type extends UserSessionEventType | '*'>(
    type: Type,
    listener: UserSessionListener<Type>,
    options?: UserSessionListenerOptions,
  ): () => void

  /** What this node has met since it was opened. */
  stats(): UserSessionStats
}

/** Names the SPI in the registry and in configurations. */
export const userSessionSpi = defineSpi<UserSessionProvider>('user-session')
