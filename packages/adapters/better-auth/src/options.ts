import type { ActionTokenProvider } from '@authstate/action-token'
import { assertLifespan, assertName, assertOptions, type Known } from '@authstate/spi'
import type { WebSessionProvider } from '@authstate/web-session'

/** Where things are kept: what `createAuthState` answers, or whatever else has the providers. */
export interface StorageState {
  /** Keeps the sessions. */
  readonly webSessions: WebSessionProvider
  /** Keeps verification values, counters, and whatever else better-auth stores. */
  readonly actionTokens: ActionTokenProvider
}

/** How things are kept. */
export interface StorageOptions {
  /** The realm of all that is stored: one per better-auth server that shares the deployment. @default 'better-auth' */
  readonly realmId?: string | undefined
  /**
   * The longest session, whole ms: `session.expiresIn` of better-auth, which counts seconds. The storage refuses to be made when
   * web-session does not take it, or action-token, which remembers as long that sessions were revoked. @default 604_800_000
   */
  readonly sessionMs?: number | undefined
  /**
   * The longest verification value, whole ms. The storage refuses to be made when action-token does not take it.
   * @default 86_400_000, the link that deletes an account
   */
  readonly verificationMs?: number | undefined
  /**
   * Life of what better-auth stores without an end, whole ms: API keys that do not expire, where its plugin keeps them here.
   * @default the longest that action-token takes, 30 days
   */
  readonly untimedMs?: number | undefined
}

const OPTIONS: Known<StorageOptions> = {
  realmId: true,
  sessionMs: true,
  verificationMs: true,
  untimedMs: true,
}

const DAY_MS = 86_400_000

/** Options that were checked. */
export interface CheckedOptions {
  readonly realmId: string
  readonly untimedMs: number
}

/** @throws {TypeError | RangeError | ConfigurationError} naming the option that is wrong */
export function checkOptions(
  options: StorageOptions,
  { webSessions, actionTokens }: StorageState,
): CheckedOptions {
  assertOptions<StorageOptions>(options, 'options', OPTIONS)
  const ofTokens = { name: 'action-token', limits: actionTokens.limits }
  const {
    realmId = 'better-auth',
    sessionMs = 7 * DAY_MS,
    verificationMs = DAY_MS,
    untimedMs = actionTokens.limits.maxLifespanMs,
  } = options
  assertName(realmId, 'realmId')
  assertLifespan(sessionMs, 'sessionMs', { name: 'web-session', limits: webSessions.limits })
  assertLifespan(sessionMs, 'sessionMs', ofTokens)
  assertLifespan(verificationMs, 'verificationMs', ofTokens)
  assertLifespan(untimedMs, 'untimedMs', ofTokens)
  return { realmId, untimedMs }
}
