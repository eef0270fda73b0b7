import type {
  ActionTokenProvider,
  AuthSessionProvider,
  LoginFailureProvider,
  UserSessionProvider,
  WebSessionProvider,
} from 'authstate'
import type { BoardOptions, Sink } from './board.js'
import { OTHER } from './metrics.js'
import { findNamed, type ObservedState } from './state.js'

/**
 * Counts what the services tell of themselves.
 *
 * @returns how to stop
 */
export function listen(state: ObservedState, { tokenKinds }: BoardOptions, count: Sink['count']): () => void {
  const stops = [
    ...ofSessions(state, count),
    findNamed<ActionTokenProvider>(state, 'action-token')?.on('replayed', ({ kind }) =>
      count('authstate.tokens.replayed', { kind: tokenKinds.has(kind) ? kind : OTHER }),
    ),
    ...(['temporary', 'permanent'] as const).map((kind) =>
      findNamed<LoginFailureProvider>(state, 'login-failure')?.on(`${kind}-lock`, ({ subject }) =>
        count('authstate.locks', { kind, scope: subject.rule === 'user' ? 'user' : 'network' }),
      ),
    ),
  ]
  return () => {
    for (const stop of stops) stop?.()
  }
}

const kindOf = (offline: boolean) => (offline ? 'offline' : 'online')

function ofSessions(state: ObservedState, count: Sink['count']): ((() => void) | undefined)[] {
  const created = (spi: string, kind: string) => count('authstate.sessions.created', { spi, kind })
  const ended = (spi: string, kind: string, reason: string) =>
    count('authstate.sessions.ended', { spi, kind, reason })
  const users = findNamed<UserSessionProvider>(state, 'user-session')
  const logins = findNamed<AuthSessionProvider>(state, 'auth-session')
  const web = findNamed<WebSessionProvider>(state, 'web-session')
  return [
    users?.on('created', ({ offline }) => created('user-session', kindOf(offline))),
    users?.on('removed', ({ offline, reason = 'removed' }) => ended('user-session', kindOf(offline), reason)),
    users?.on('expired', ({ offline }) => ended('user-session', kindOf(offline), 'expired')),
    logins?.on('created', () => created('auth-session', 'login')),
    logins?.on('removed', ({ reason }) => ended('auth-session', 'login', reason)),
    web?.on('created', () => created('web-session', 'web')),
    web?.on('removed', ({ reason }) => ended('web-session', 'web', reason)),
  ]
}
