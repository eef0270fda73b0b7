import { type ActionTokenProvider, actionTokenSpi } from '@authstate/action-token'
import { type AuthSessionProvider, authSessionSpi } from '@authstate/auth-session'
import { type ClusterProvider, clusterSpi } from '@authstate/cluster'
import { type LoginFailureProvider, loginFailureSpi } from '@authstate/login-failure'
import { type RealmCacheProvider, realmCacheSpi } from '@authstate/realm-cache'
import type { Description, Health, ProviderRegistry } from '@authstate/registry'
import type { Clock, Provider, Spi } from '@authstate/spi'
import { type StickySessionEncoderProvider, stickySessionEncoderSpi } from '@authstate/sticky-session-encoder'
import { type UserSessionProvider, userSessionSpi } from '@authstate/user-session'

/**
 * The state of an authentication server.
 *
 * Each member is the provider that the configuration selects. One that is disabled throws a `ConfigurationError` when
 * it is asked for, everything after `close()` a `ProviderClosedError`.
 */
export interface AuthState extends AsyncDisposable {
  readonly userSessions: UserSessionProvider
  readonly authSessions: AuthSessionProvider
  readonly actionTokens: ActionTokenProvider
  readonly loginFailures: LoginFailureProvider
  readonly realmCache: RealmCacheProvider
  readonly stickySessions: StickySessionEncoderProvider
  readonly cluster: ClusterProvider

  /**
   * The provider of any SPI, for those that plugins bring.
   *
   * @throws {ConfigurationError} nobody provides it; lists what is provided
   */
  get<P extends Provider>(spi: Spi<P>): P
  /** Like `get`, but `undefined` when nobody provides it. */
  find<P extends Provider>(spi: Spi<P>): P | undefined

  /**
   * The clock that this deployment goes by, for what the application signs, computes and compares: `iat` and `exp` of its
   * tokens, `issuedAt`, `authenticatedAt`, an end that is turned into a `lifespanMs`. On Redis it is the clock of the
   * deployment, whatever the host's says; in memory it is the host's; a clock that was given is that clock.
   */
  readonly clock: Clock

  /** Asks every provider whether it can serve: `ok` and `latencyMs`, or the error. Never rejects. */
  health(): Promise<Health>

  /** What is selected, why, and with which properties. Holds no secrets, so it can be logged. */
  describe(): Description

  /**
   * Ends everything, and closes the connections that were opened here. Twice is the same as once. Takes `closeTimeoutMs` at most,
   * also while Redis says nothing: what could not be told it by then runs out there by itself, as after a crash.
   */
  close(): Promise<void>
}

export class RunningAuthState implements AuthState {
  readonly #registry: ProviderRegistry

  constructor(registry: ProviderRegistry) {
    this.#registry = registry
  }

  get userSessions(): UserSessionProvider {
    return this.#registry.get(userSessionSpi)
  }

  get authSessions(): AuthSessionProvider {
    return this.#registry.get(authSessionSpi)
  }

  get actionTokens(): ActionTokenProvider {
    return this.#registry.get(actionTokenSpi)
  }

  get loginFailures(): LoginFailureProvider {
    return this.#registry.get(loginFailureSpi)
  }

  get realmCache(): RealmCacheProvider {
    return this.#registry.get(realmCacheSpi)
  }

  get stickySessions(): StickySessionEncoderProvider {
    return this.#registry.get(stickySessionEncoderSpi)
  }

  get cluster(): ClusterProvider {
    return this.#registry.get(clusterSpi)
  }

  get<P extends Provider>(spi: Spi<P>): P {
    return this.#registry.get(spi)
  }

  find<P extends Provider>(spi: Spi<P>): P | undefined {
    return this.#registry.find(spi)
  }

  get clock(): Clock {
    return this.#registry.clock
  }

  health(): Promise<Health> {
    return this.#registry.health()
  }

  describe(): Description {
    return this.#registry.describe()
  }

  close(): Promise<void> {
    return this.#registry.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
