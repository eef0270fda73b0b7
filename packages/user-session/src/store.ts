import type { Answer, Page, ProviderContext, Realm } from '@authstate/spi'
import type {
  CheckedClient,
  CheckedClientPatch,
  CheckedCopy,
  CheckedPatch,
  CheckedSession,
  CheckedSessionPage,
} from './checks.js'
import type { UserSessionConfig } from './config.js'
import type {
  ClientTokenRotation,
  CreateOutcome,
  LimitedOutcome,
  RotationOutcome,
  SessionTimes,
  TransientTokenRotation,
  UserSession,
} from './contract.js'
import type { Listeners } from './events.js'
import type { Limits } from './limits.js'

/** Which session. Its id may be of any form: what no store can have made is not there. */
export interface SessionName {
  readonly realmId: string
  readonly id: string
  readonly offline: boolean
}

/** A session that is to be changed, and what its life goes by. */
export interface SessionStep extends SessionName {
  /** The settings of its realm, of now. One that is over by them is over, whatever is stored. */
  readonly realm: Realm
  /** Ms since the epoch, by the clock of the deployment. */
  readonly now: number
}

/** Sessions that are listed, counted or ended together. */
export interface SessionIndex {
  readonly realmId: string
  readonly offline: boolean
  readonly kind: 'user' | 'client' | 'brokerUser' | 'brokerSession' | 'realm'
  /** Of the user, client or broker; of a realm empty. */
  readonly name: string
}

/** An index whose sessions end together. */
export interface EndedIndex extends SessionIndex {
  readonly kind: 'user' | 'brokerSession' | 'realm'
}

/** What a removal ends. */
export interface Removal {
  /** Only what began before it, and what begins before it is refused from now on. `''`: all, and nothing is refused. */
  readonly mark: string
  /** The id of a session that stays. */
  readonly except?: string | undefined
}

/** What the contract hands to the store under it. */
export interface StoreParts {
  readonly context: ProviderContext
  readonly config: UserSessionConfig
  readonly limits: Limits
  /** Whom a store tells what came and went, as soon as it is so. */
  readonly listeners: Listeners
}

/**
 * What a store of sessions can do, one atomic step each unless it says otherwise: of calls at once, on whatever nodes, each sees
 * all of another or none of it. `UserSessions` is the contract over it, written once. All that a store is given was checked.
 *
 * A session that ends at `now` or before counts as removed: a step on it changes nothing and brings
 * nothing back. Records that are answered are the caller's. A step that fails throws a
 * `StoreUnavailableError`, whose `applied` says whether it may have been done.
 */
export interface SessionStore {
  /** Records that could not be read so far. @default 0 */
  readonly unreadable?: number
  /** In which partition the sessions of a user are: their ids are minted for it. @default 0 */
  partitionOf?(userId: string): number
  /** Whether online sessions of the user or the realm were ended after a login began, for one that is not stored. */
  refuses(realmId: string, session: CheckedSession): Answer<boolean>
  /** Stores a new session, unless a removal or a limit refuses it. */
  create(step: SessionStep, session: CheckedSession): Answer<CreateOutcome>
  /**
   * A living session.
   *
   * @param clientId Only with this client session, and only if that lives.
   */
  load(session: SessionName, clientId: string | undefined, now: number): Answer<UserSession | undefined>
  /** Notes a use of the session, and of the client session that is named; without that one it is not done. */
  refresh(step: SessionStep, clientId: string | undefined): Answer<UserSession | undefined>
  /** Like `refresh`, and answers the times alone. */
  touch(step: SessionStep, clientId: string | undefined): Answer<SessionTimes | undefined>
  /** Patches a living session. */
  update(step: SessionStep, patch: CheckedPatch): Answer<UserSession | undefined>
  /**
   * Restarts a session: nothing but its id and its user stays.
   *
   * @param isTooLate The login began so long ago that it is refused, if the session lives.
   * @throws {TypeError} it belongs to another user
   */
  restart(step: SessionStep, begun: CheckedSession, isTooLate: boolean): Answer<LimitedOutcome>
  /** Ends a session. @returns whether it was alive */
  remove(session: SessionName, now: number): Answer<boolean>
  /** Adds a client session, or replaces the one that the client has. A limit may refuse a new one. */
  putClient(step: SessionStep, client: CheckedClient): Answer<LimitedOutcome>
  /** Patches a living client session. */
  updateClient(step: SessionStep, patch: CheckedClientPatch): Answer<UserSession | undefined>
  /** Ends a client session, and the session with its last one if asked to. @returns whether the client session was alive */
  removeClient(session: SessionName, clientId: string, endWhenLast: boolean, now: number): Answer<boolean>
  /** Copies a living online session, or refreshes its copy. */
  createOffline(step: SessionStep, copy: CheckedCopy): Answer<LimitedOutcome>
  /** Decides on a refresh token of a client session, and ends that where the token was replayed. */
  rotate(step: SessionStep, rotation: ClientTokenRotation): Answer<RotationOutcome>
  /** Decides on a refresh token that belongs to no stored session. */
  rotateTransient(realmId: string, rotation: TransientTokenRotation, now: number): Answer<RotationOutcome>
  /** A page of the living, those first that end first. Need not be one step. */
  page(index: SessionIndex, page: CheckedSessionPage, now: number): Answer<Page<UserSession>>
  /** How many live. Need not be one step. */
  count(index: SessionIndex, now: number): Answer<number>
  /** How many sessions live at each client. Need not be one step. */
  clientStats(realmId: string, offline: boolean, now: number): Answer<ReadonlyMap<string, number>>
  /**
   * Ends what an index has. That of a realm ends refresh tokens without a session too. Need not be one step: what is refused
   * is refused before the first session ends.
   */
  endAll(index: EndedIndex, removal: Removal, now: number): Answer<number>
  /** Ends the client sessions of a client, and leaves the sessions. Need not be one step. */
  detachAll(realmId: string, clientId: string, offline: boolean, now: number): Answer<number>
  /** Computes every life again. Need not be one step. @returns how many sessions changed */
  recompute(realmId: string, realm: Realm, now: number): Answer<number>
  /** Removes ended sessions, a few at a time. @param onSwept Called for each few that were removed. */
  sweep(onSwept: (count: number) => void): Answer<void>
  /** A sweep that is under way ends soon. */
  stop?(): void
  /** Ends what the store opened itself. Called once. */
  close?(): void | Promise<void>
}
