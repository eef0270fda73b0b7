/**
 * Sessions for servers that speak `Request` and `Response`: Hono, SvelteKit, React Router, h3, Bun, Deno.
 *
 * The id of a session is in a signed cookie, its data are in the state. Of a request only what it changed is saved, so two
 * requests at once do not undo each other, and a session that was ended stays ended, whatever a slow request saves.
 *
 * @module
 */
import type { SessionState, SessionsOptions } from './fetch/options.js'
import { type Sessions, sessionsOver } from './fetch/sessions.js'

export type { Life, Secret, SessionCookieOptions, SessionState, SessionsOptions } from './fetch/options.js'
export type { RefusedSession } from './fetch/refusals.js'
export type { ReceivedRequest, ResponseHeaders, Session, Sessions } from './fetch/sessions.js'
export { type SessionStrategy, type SessionStrategyOptions, sessionStrategy } from './fetch/strategy.js'

/**
 * Sessions of an application: `load` at the start of a request, `commit` at its end.
 *
 * Safe to take apart: `const { load, commit } = createSessions(…)`.
 *
 * @param state What `createAuthState` answers. The sessions do not close it.
 * @throws {TypeError | RangeError} an option is unknown or wrong, or a session would live longer than `webSessions.limits` allow
 */
export function createSessions<Data extends object = Record<string, unknown>>(
  state: SessionState,
  options: SessionsOptions<Data>,
): Sessions<Data> {
  return sessionsOver(state, options)
}
