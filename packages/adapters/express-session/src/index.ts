/**
 * A store for express-session, over the sessions of authstate: a logged-out session stays logged out, two requests that change
 * different names both last, and the sessions of a user can be listed and ended.
 *
 * @module
 */
import type { SessionState, StoreOptions } from './options.js'
import { type SessionStore, storeClass } from './store.js'

export type { Callback } from './callback.js'
export type {
  FrameworkSession,
  PreviousSessions,
  RefusedSave,
  SessionState,
  StoreOptions,
} from './options.js'
export type { SessionRequest, SessionStore } from './store.js'
export type { OnUnavailable, UnavailableStore } from './unavailable.js'

/** What `import session from 'express-session'` gives. */
export interface ExpressSession<B extends object = object> {
  readonly Store: abstract new () => B
}

/**
 * A store for `session({ store })`.
 *
 * Its methods answer callbacks; without one, a promise. Errors of Redis go to the framework's own
 * error path: a session that cannot be read is not treated as missing.
 *
 * @param session The `express-session` of the application.
 * @param state What `createAuthState` answers. The store does not close it.
 * @throws {TypeError | RangeError} an option is wrong
 * @throws {ConfigurationError} a session would live longer than `webSessions.limits` allow
 */
export function createStore<B extends object>(
  session: ExpressSession<B>,
  state: SessionState,
  options: StoreOptions = {},
): B & SessionStore {
  return new (storeClass(session.Store))(state, options)
}
