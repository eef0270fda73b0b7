import type { Description, Health, ProviderRegistry } from '@authstate/registry'
import {
  type AnyProviderFactory,
  assertName,
  type Clock,
  ConfigurationError,
  type Provider,
  type Service,
  type Spi,
} from '@authstate/spi'
import type { LiveKeyring } from '@authstate/spi/internal'
import { type DeploymentKeys, deploymentKeys } from './deployment-keys.js'
import { bindRealm, type RealmState } from './realm-state.js'
import { type AnyService, type MemberOf, type ProviderOf, services } from './services.js'
import { askAll } from './whole-state.js'

/** The provider of each service, by the name of its member. */
export type StateMembers = { readonly [S in AnyService as MemberOf<S>]: ProviderOf<S> }

/**
 * The state of an authentication server.
 *
 * Each service is a member, and the provider that the configuration selects: `userSessions`, `authSessions`, `actionTokens`,
 * `webSessions`, `loginFailures`, `realmCache`, `stickySessions` and `cluster`. One that is disabled throws a `ConfigurationError` when
 * it is asked for, everything after `close()` a `ProviderClosedError`.
 */
export interface AuthState extends StateMembers, AsyncDisposable {
  /**
   * The same verbs for one realm, so that its id is said once: `state.realm('acme').userSessions.get(id)`.
   *
   * @throws {TypeError} the id can name nothing
   */
  realm(realmId: string): RealmState

  /**
   * Call it when an administrator deletes a realm: it removes all sessions, logins under way,
   * tokens, login failures and cached values of the realm. Delete the realm itself first, so that
   * no user logs in meanwhile. What is created during the call may stay.
   *
   * Every service is asked, also when another one fails. So is what an application adds, where its
   * provider brings a `service`. Lines of an audit stay. Cached values go from the regions that the calling node has opened, on every node. Not one step: each service removes what it has in many. Safe to repeat.
   *
   * @throws {IncompleteError} names the services that failed; the others are done
   *
   * @example
   * ```ts
   * await state.removeRealm('acme')
   * ```
   */
  removeRealm(realmId: string): Promise<void>

  /**
   * Makes everything follow the settings of a realm. Call it after they changed: sessions get their new ends, lock-outs their
   * new rules, and cached values of the realm are dropped on every node, of the regions that the calling node has opened.
   * Every service is asked. Safe to repeat.
   *
   * @throws {IncompleteError} names the services that failed; the others are done
   */
  realmChanged(realmId: string): Promise<void>

  /**
   * Signs a user out everywhere. Call it after a password change, for "sign out of all devices", or when an account is taken
   * over.
   *
   * Online, offline and web sessions of the user end, with their refresh tokens. Action tokens
   * whose `subject` is the user can no longer be used. A login under way whose credentials were
   * checked before the call gets no session: `userSessions.create` refuses it if you pass the
   * `authenticatedAt` that `authSessions.promote` returns. Login failures stay, so that a user
   * cannot avoid a lock by signing out. Every service is asked. Safe to repeat.
   *
   * @throws {IncompleteError} names the services that failed; the others are done
   *
   * @example
   * ```ts
   * await state.endUser('acme', 'u-1') // after a change of the password
   * ```
   */
  endUser(realmId: string, userId: string): Promise<void>

  /**
   * Leaves nothing that is known about a user. Call it after the account was deleted.
   *
   * Does what {@link endUser} does, and forgets login failures, and cached values of the user in the regions that the calling
   * node has opened. A login under way that names the user stays until its browser has taken no step for as long as a login may
   * take (30 minutes by default), and gets no session. What refuses logins that began before the call names the user as well,
   * and ends by itself. Every service is asked. Safe to repeat.
   *
   * @throws {IncompleteError} names the services that failed; the others are done
   */
  forgetUser(realmId: string, userId: string): Promise<void>

  /**
   * The provider of any SPI, for those that plugins bring.
   *
   * @throws {ConfigurationError} no provider is selected for it; lists the SPIs that have one
   */
  get<P extends Provider>(spi: Spi<P>): P
  /** Like `get`, but `undefined` if no provider is selected. */
  find<P extends Provider>(spi: Spi<P>): P | undefined

  /**
   * The clock that this deployment goes by, for what the application signs, computes and compares: `iat` and `exp` of its
   * tokens, `issuedAt`, `authenticatedAt`, an end that is turned into a `lifespanMs`. On Redis it is the clock of the
   * deployment, whatever the host's says; in memory it is the host's; a clock that was given is that clock.
   */
  readonly clock: Clock

  /**
   * The keys of the keyring, which can be changed while the deployment runs.
   *
   * @throws {ConfigurationError} when it is asked for and there is no keyring
   */
  readonly keys: DeploymentKeys

  /** Asks every provider whether it can serve: `ok` and `latencyMs`, or the error. Never rejects. */
  health(): Promise<Health>

  /**
   * Figures of this process, by name of the SPI, of the services that count something: those of plugins as well. Reads memory and
   * asks no store.
   */
  stats(): Readonly<Record<string, unknown>>

  /** What is selected, why, and with which properties. Holds no secrets, so it can be logged. */
  describe(): Description

  /**
   * Call it when the process ends: it closes all providers, and the connections that were opened
   * here. Safe to repeat. It takes at most `closeTimeoutMs`, even if Redis does not answer. What
   * could not be written to Redis by then expires there by itself, as after a crash.
   */
  close(): Promise<void>
}

type Verbs = Omit<AuthState, keyof StateMembers>

class RunningAuthState implements Verbs {
  readonly #registry: ProviderRegistry
  readonly #keys: DeploymentKeys | undefined
  /** Ours, and those that providers of the application bring. */
  readonly #services: readonly Service[]

  constructor(
    registry: ProviderRegistry,
    keyring: LiveKeyring | undefined,
    providers: readonly AnyProviderFactory[] = [],
  ) {
    this.#registry = registry
    const known = new Map<string, Service>()
    for (const { service } of providers) if (service !== undefined) known.set(service.name, service)
    for (const service of services as readonly Service[]) known.set(service.name, service)
    this.#services = [...known.values()]
    this.#keys = keyring && deploymentKeys(this as unknown as AuthState, keyring)
    for (const { member, spi } of services as readonly Service[]) {
      if (member !== undefined) Object.defineProperty(this, member, { get: () => registry.get(spi) })
    }
  }

  realm(realmId: string): RealmState {
    assertName(realmId, 'realmId')
    return bindRealm(this as unknown as AuthState, this.#registry, realmId)
  }

  async removeRealm(realmId: string): Promise<void> {
    assertName(realmId, 'realmId')
    await askAll(this.#registry, this.#services, ({ realm }) => realm.remove, [realmId])
  }

  async realmChanged(realmId: string): Promise<void> {
    assertName(realmId, 'realmId')
    await askAll(this.#registry, this.#services, ({ realm }) => realm.changed, [realmId])
  }

  async endUser(realmId: string, userId: string): Promise<void> {
    assertName(realmId, 'realmId')
    assertName(userId, 'userId')
    await askAll(this.#registry, this.#services, ({ user }) => user.end, [realmId, userId])
  }

  async forgetUser(realmId: string, userId: string): Promise<void> {
    assertName(realmId, 'realmId')
    assertName(userId, 'userId')
    await askAll(this.#registry, this.#services, ({ user }) => user.forget, [realmId, userId])
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

  get keys(): DeploymentKeys {
    if (this.#keys !== undefined) return this.#keys
    throw new ConfigurationError('keyring: the configuration has no keyring')
  }

  health(): Promise<Health> {
    return this.#registry.health()
  }

  stats(): Readonly<Record<string, unknown>> {
    return this.#registry.stats()
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

/** The state of a registry that was started. @param keyring That which its providers go by. @param providers Those of the application. */
export const stateOf = (
  registry: ProviderRegistry,
  keyring: LiveKeyring | undefined,
  providers: readonly AnyProviderFactory[] | undefined,
): AuthState => new RunningAuthState(registry, keyring, providers) as unknown as AuthState
