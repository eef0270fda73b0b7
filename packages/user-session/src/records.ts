import type { EventOf, Page, PageOptions } from '@authstate/spi'

export type { Page }

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
  /** Milliseconds since the epoch; from this instant on the session has ended. */
  readonly expiresAt: number
  readonly state?: UserSessionState
  readonly notes: Readonly<Record<string, string>>
  /** The living client sessions by client id. `JSON.stringify` writes them as an object. */
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
  readonly nodeHost?: string
  readonly applicationSessionId?: string
  readonly notes: Readonly<Record<string, string>>
}

/** What a client session is made of. */
export interface NewClientSession {
  readonly clientId: string
  readonly protocol?: string | undefined
  readonly redirectUri?: string | undefined
  readonly action?: string | undefined
  /**
   * Host of the client's node that keeps the user's session there, as the client said. It proves
   * nothing. When the client session ends, a delivery of logouts gets it.
   */
  readonly nodeHost?: string | undefined
  /** Id of that session, as the client said. */
  readonly applicationSessionId?: string | undefined
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
  /**
   * When the credentials of this login were checked, in milliseconds since the epoch by the clock
   * of the state. If several were checked, give the first instant. If the sessions of the user or
   * realm were ended after it, or in the same millisecond, the login is refused, however late it
   * comes. A login is also refused if its credentials were checked more than an hour ago.
   *
   * @default the moment of the call
   */
  readonly authenticatedAt?: number | undefined
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
  readonly nodeHost?: string | null | undefined
  readonly applicationSessionId?: string | null | undefined
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

/** How a client session ends. */
export interface ClientRemoval extends SessionScope {
  /** Ends the user session as well when no other client session lives. @default false */
  readonly endWhenLast?: boolean | undefined
}

/** Which of the twins end. */
export interface TwinScope {
  /** `both`: online and offline sessions, in one call. @default false */
  readonly offline?: boolean | 'both' | undefined
}

/** Which sessions of a user end. */
export interface UserRemoval extends TwinScope {
  /** Id of a session that stays; with `both`, and of its twin. */
  readonly except?: string | undefined
}

/** What goes into an offline session. */
export interface OfflineCopy {
  /** Clients whose client sessions are copied, if they live. All when left out. */
  readonly clientIds?: readonly string[] | undefined
  /** As of a {@link NewUserSession}. @default the moment of the call */
  readonly authenticatedAt?: number | undefined
}

/** Which part of a listing is asked for. */
export interface PageRequest extends SessionScope, PageOptions {}

/** The instants that a refresh moves, in milliseconds since the epoch. */
export interface SessionTimes {
  readonly lastRefreshAt: number
  readonly expiresAt: number
}

/**
 * Why a verb did nothing: a limit was reached, the user's or realm's sessions were ended after the login began, or it
 * began too long ago for anybody to tell.
 */
export type RefusalReason =
  | 'user-limit'
  | 'client-limit'
  | 'offline-limit'
  | 'total-limit'
  | 'ended'
  | 'too-late'

/** What `create` answers. */
export type CreateOutcome =
  | { readonly outcome: 'created'; readonly session: UserSession }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason }

const REFUSALS: Readonly<Record<RefusalReason, true>> = {
  'user-limit': true,
  'client-limit': true,
  'offline-limit': true,
  'total-limit': true,
  ended: true,
  'too-late': true,
}

/** Whether a text says why something was refused. */
export function isRefusal(text: unknown): text is RefusalReason {
  return typeof text === 'string' && Object.hasOwn(REFUSALS, text)
}

/** The answer of a verb that a limit may refuse. `gone`: the session does not exist. */
export type LimitedOutcome =
  | { readonly outcome: 'done'; readonly session: UserSession }
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason }

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
 * - `stale`: a token from before the last rotation, whatever clock said when it was issued. The client session ended in this step; it stays when the token
 *   belongs to an earlier client session of this client.
 * - `gone`: the session does not exist, or does not have this client session.
 */
export type RotationOutcome =
  | { readonly outcome: 'rotated'; readonly successor: string }
  | { readonly outcome: 'reused' | 'stale' | 'gone' }

/** What made a session end before its time. */
export type RemovalReason = 'removed' | 'user' | 'broker-session' | 'realm' | 'limit' | 'last-client'

/** What made a client session end before its time, while its user session stayed. */
export type ClientRemovalReason =
  /** `removeClientSession` */
  | 'removed'
  /** `removeByClient` */
  | 'client'
  /** `restart` */
  | 'restarted'
  /** A refresh token was presented more often than allowed. */
  | 'reused'
  /** A refresh token from before the last rotation was presented. */
  | 'stale'

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
  /**
   * Notes of the user session, of `removed` and `expired`, for a listener that asked for them. Absent when they could not be
   * read any more, or be decrypted.
   */
  readonly notes?: Readonly<Record<string, string>>
}

/**
 * A client session ended before its time and its user session stayed. The end of a whole session
 * has its own event, which names its clients: no end is emitted twice.
 */
export interface ClientSessionEvent {
  readonly type: 'client-removed'
  readonly realmId: string
  readonly sessionId: string
  readonly offline: boolean
  /** Absent only when the record of the user session could not be read any more. */
  readonly userId?: string
  readonly clientId: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly reason: ClientRemovalReason
}

/** Names of events, with what each tells. */
export interface UserSessionEvents {
  /** A session was stored. */
  readonly created: UserSessionEvent & { readonly type: 'created' }
  /** It ended before its time, for a `reason`. */
  readonly removed: UserSessionEvent & { readonly type: 'removed' }
  /** Its time was over. */
  readonly expired: UserSessionEvent & { readonly type: 'expired' }
  /** A client session ended before its time, and its user session stayed. */
  readonly 'client-removed': ClientSessionEvent
}

/** The events that a listener can get. */
export type UserSessionEventType = keyof UserSessionEvents
/** Called with each event of the type it was registered for, on the node where it happened. */
export type UserSessionListener<Type extends UserSessionEventType | '*' = '*'> = (
  event: EventOf<UserSessionEvents, Type>,
) => void

/** What a listener gets in addition. */
export interface UserSessionListenerOptions {
  /**
   * Puts the notes of the user session, decrypted, into `removed` and `expired`. The store has to send them then: that
   * costs as much as reading each session that ends.
   *
   * @default false
   */
  readonly notes?: boolean | undefined
}

/** What the store has met since it was opened. */
export interface UserSessionStats {
  /** Reads that found a record of an unknown version or one that could not be decoded: absent for the caller. */
  readonly unreadable: number
  /** Sessions that this node's sweep has ended. */
  readonly swept: number
}
