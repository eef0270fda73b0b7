/**
 * Sessions and verification tokens of Auth.js, over any of its adapters: users and accounts stay where they are. A session that
 * ended stays ended, the sessions of a user can be listed and ended, and a link in a mail works once.
 *
 * @module
 */
import { assertFunction, assertObject } from '@authstate/spi'
import { type AuthjsOptions, type AuthjsState, checkOptions } from './options.js'
import { type AdapterSession, SessionPart, type UserSession } from './sessions.js'
import { TokenPart, type VerificationToken } from './verification-tokens.js'

export type { AuthjsOptions, AuthjsState } from './options.js'
export type { AdapterSession, UserSession } from './sessions.js'
export type { VerificationToken } from './verification-tokens.js'

/** What is asked of the adapter below: any of Auth.js. */
export interface AdapterBelow {
  /** The user of a session. It must be there. */
  getUser?(id: string): unknown
  /** Called before the user's sessions are ended. */
  deleteUser?(userId: string): unknown
}

/** A user, as an adapter has it. */
export type UserOf<A> = A extends { getUser?: (id: string) => infer R } ? NonNullable<Awaited<R>> : never

/** What comes from authstate: methods that Auth.js calls, and more for your application. */
export interface AuthstateMethods<User> {
  /** Begins a session. */
  createSession(session: AdapterSession): Promise<AdapterSession>
  /** A living session, and its user as the adapter below knows him; `null` when one of them is not there. */
  getSessionAndUser(sessionToken: string): Promise<{ session: AdapterSession; user: User } | null>
  /** Changes a session that is there. It never begins one: `null` when it ended. */
  updateSession(
    session: Partial<AdapterSession> & Pick<AdapterSession, 'sessionToken'>,
  ): Promise<AdapterSession | null>
  /** Ends a session. @returns the session, for the caller that ended it; `null` for all others */
  deleteSession(sessionToken: string): Promise<AdapterSession | null>
  /** Keeps the token of a link in a mail. */
  createVerificationToken(verificationToken: VerificationToken): Promise<VerificationToken>
  /** Gives the token to one caller, and forgets it: of N at once exactly one gets it, the others `null`. */
  useVerificationToken(params: { identifier: string; token: string }): Promise<VerificationToken | null>
  /** The living sessions of a user: for a page of devices. */
  sessionsOf(userId: string): Promise<UserSession[]>
  /** The id of a session, as `sessionsOf` has it: to tell the one of a browser from the others. */
  sessionIdOf(sessionToken: string): string
  /** Ends a session by its id. @returns whether it was alive */
  endSession(sessionId: string): Promise<boolean>
  /**
   * Ends all sessions of a user.
   *
   * @param options.except The id of the session that stays.
   * @returns how many were alive
   */
  endSessions(userId: string, options?: { readonly except?: string | undefined }): Promise<number>
}

/** An adapter whose sessions and verification tokens are kept by authstate. */
export type WithAuthstate<A extends AdapterBelow> = Omit<A, keyof AuthstateMethods<unknown>> &
  AuthstateMethods<UserOf<A>>

/**
 * An adapter for `Auth(request, { adapter, session: { strategy: 'database' } })`.
 *
 * Errors of the store go to Auth.js, which logs them: a session that cannot be read is not treated
 * as missing, and its cookie stays.
 *
 * @param adapter Keeps users, accounts and authenticators.
 * @param state What `createAuthState` answers. The adapter does not close it.
 * @throws {TypeError | RangeError} an argument is wrong
 * @throws {ConfigurationError} a span is longer than the `limits` of web-session or action-token allow
 */
export function withAuthstate<A extends AdapterBelow>(
  adapter: A,
  state: AuthjsState,
  options: AuthjsOptions = {},
): WithAuthstate<A> {
  assertObject(adapter, 'adapter')
  assertFunction(adapter.getUser, 'adapter.getUser')
  const realmId = checkOptions(options, state)
  const sessions = new SessionPart(realmId, state.webSessions)
  const tokens = new TokenPart(realmId, state.actionTokens)

  const methods: AuthstateMethods<unknown> = {
    createSession: (session) => sessions.create(session),

    async getSessionAndUser(sessionToken) {
      const session = await sessions.get(sessionToken)
      if (session === null) return null
      const user = (await adapter.getUser?.(session.userId)) ?? null
      return user === null ? null : { session, user }
    },

    updateSession: (session) => sessions.update(session),
    deleteSession: (sessionToken) => sessions.end(sessionToken),
    createVerificationToken: (token) => tokens.create(token),
    useVerificationToken: (params) => tokens.use(params),
    sessionsOf: (userId) => sessions.of(userId),
    sessionIdOf: (sessionToken) => sessions.idOf(sessionToken),
    endSession: (sessionId) => sessions.endById(sessionId),
    endSessions: (userId, of) => sessions.endAll(userId, of),
  }
  const deletion = adapter.deleteUser && {
    // The user first: without a user none of the sessions opens anything.
    deleteUser: async (userId: string) => {
      const deleted = await adapter.deleteUser?.(userId)
      await sessions.endAll(userId)
      return deleted
    },
  }
  // Auth.js calls what an adapter has as its own, and calls it without the adapter.
  return { ...adapter, ...deletion, ...methods } as WithAuthstate<A>
}
