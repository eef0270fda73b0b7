import type { ActionTokenProvider } from '@authstate/action-token'
import { assertLifespan, assertName, assertOptions, type Known } from '@authstate/spi'
import type { WebSessionProvider } from '@authstate/web-session'

/** Where things are kept: what `createAuthState` answers, or whatever else has the providers. */
export interface AuthjsState {
  /** Keeps the sessions. */
  readonly webSessions: WebSessionProvider
  /** Keeps the verification tokens. */
  readonly actionTokens: ActionTokenProvider
}

/** How things are kept. */
export interface AuthjsOptions {
  /** The realm of sessions and tokens: one per application that shares the deployment. @default 'authjs' */
  readonly realmId?: string | undefined
  /**
   * The longest session, whole ms: `session.maxAge` of Auth.js, which counts seconds. The adapter refuses to be made when
   * web-session does not take it. @default 2_592_000_000
   */
  readonly sessionMs?: number | undefined
  /**
   * The longest verification token, whole ms: `maxAge` of an email provider, which counts seconds. The adapter refuses to be
   * made when action-token does not take it. @default 86_400_000
   */
  readonly verificationMs?: number | undefined
}

const OPTIONS: Known<AuthjsOptions> = { realmId: true, sessionMs: true, verificationMs: true }

const DAY_MS = 86_400_000

/** The realm. @throws {TypeError | RangeError | ConfigurationError} naming the option that is wrong */
export function checkOptions(options: AuthjsOptions, { webSessions, actionTokens }: AuthjsState): string {
  assertOptions<AuthjsOptions>(options, 'options', OPTIONS)
  const { realmId = 'authjs', sessionMs = 30 * DAY_MS, verificationMs = DAY_MS } = options
  assertName(realmId, 'realmId')
  assertLifespan(sessionMs, 'sessionMs', { name: 'web-session', limits: webSessions.limits })
  assertLifespan(verificationMs, 'verificationMs', { name: 'action-token', limits: actionTokens.limits })
  return realmId
}
