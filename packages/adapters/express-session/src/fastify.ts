/**
 * The store for @fastify/session.
 *
 * @module
 */
import type { WebSession } from '@authstate/web-session'
import { answer, type Callback } from './callback.js'
import type { FrameworkSession, SessionState, StoreOptions } from './options.js'
import { Sessions } from './sessions.js'

export type { Callback } from './callback.js'
export type {
  FrameworkSession,
  PreviousSessions,
  RefusedSave,
  SessionState,
  StoreOptions,
} from './options.js'
export type { OnUnavailable, UnavailableStore } from './unavailable.js'

/** How sessions are kept. @fastify/session does not say which session was loaded before: each is saved whole, and none is touched. */
export type FastifyStoreOptions = Omit<StoreOptions, 'merge' | 'touchAfterMs'>

/** A request, as far as the store knows it. */
export interface FastifySessionRequest {
  readonly session: { readonly sessionId: string } & object
}

/** The methods of a store that @fastify/session calls, and more for your application. */
export interface FastifySessionStore {
  /** Loads a session; `null` when there is none. */
  get(sessionId: string, callback?: Callback<FrameworkSession | null>): unknown
  /** Saves a session whole. One that was ended stays ended. */
  set(sessionId: string, session: object, callback?: Callback): unknown
  /** Ends a session: a save that comes later is refused. */
  destroy(sessionId: string, callback?: Callback): unknown
  /** The living sessions of a user: for a page of devices. Each has its id, its data and its times. */
  sessionsOf(userId: string): Promise<WebSession[]>
  /** Ends one. @returns whether it was alive */
  end(sessionId: string): Promise<boolean>
  /** Ends all sessions of the user of a request but its own, and refuses sign-ins under way. @returns how many were alive */
  endOthers(request: FastifySessionRequest): Promise<number>
  /** Ends all sessions of a user, and refuses sign-ins under way. @returns how many were alive */
  endAll(userId: string): Promise<number>
}

/**
 * A store for `app.register(session, { store })`.
 *
 * @param state What `createAuthState` answers. The store does not close it.
 * @throws {TypeError | RangeError} an option is wrong
 * @throws {ConfigurationError} a session would live longer than `webSessions.limits` allow
 */
export function createFastifyStore(
  state: SessionState,
  options: FastifyStoreOptions = {},
): FastifySessionStore {
  const sessions = new Sessions(state, options)
  return {
    get: (sessionId, callback) =>
      answer<FrameworkSession | null>(
        sessions.toFramework('load', sessions.get(sessionId)).then((data) => data ?? null),
        callback,
      ),
    set: (sessionId, session, callback) =>
      answer(
        sessions
          .toFramework('save', sessions.save(sessionId, session as FrameworkSession, {}))
          .then(() => undefined),
        callback,
      ),
    destroy: (sessionId, callback) =>
      answer(
        sessions.toFramework('end', sessions.end(sessionId)).then(() => undefined),
        callback,
      ),
    sessionsOf: (userId) => sessions.sessionsOf(userId),
    end: (sessionId) => sessions.end(sessionId),
    endOthers: ({ session }) => sessions.endOthers(session.sessionId, session as unknown as FrameworkSession),
    endAll: (userId) => sessions.endAll(userId),
  }
}
