/**
 * What an operator sees and does, as plain data: for a command line, a console, or an admin API of your own.
 *
 * No session id is in what these verbs answer. A session is named by a reference, which needs a keyring; without one
 * everything is listed, and nothing can be done to one session alone.
 *
 * @module
 */
import type { AuditActor } from '@authstate/audit'
import type { AuthState, Description, Health, Keyring } from 'authstate'
import type { AuditOperations } from './audit.js'
import type { CacheOperations } from './caches.js'
import type { ClusterOperations } from './cluster.js'
import type { FailureOperations } from './failures.js'
import type { SessionOperations } from './session-verbs.js'
import type { SiteOperations } from './sites.js'
import type { TokenOperations } from './tokens.js'

/** What {@link createOperations} takes. */
export interface OperationsOptions {
  /** The running state of the deployment. */
  readonly state: AuthState
  /**
   * Secrets that all nodes share: the `keyring` of the state. References to sessions are sealed with it. Left out: sessions are
   * listed without a reference.
   */
  readonly keyring?: Keyring | undefined
  /**
   * The realms of the deployment, which only your application knows. @default none, so that {@link
   * Operations.realms} is empty
   */
  readonly realms?: readonly string[] | (() => readonly string[] | Promise<readonly string[]>) | undefined
  /**
   * The actor, for the audit of the state. If several people use one object, see {@link Operations.as}.
   *
   * @default `{ name: 'application', via: 'api' }`
   */
  readonly actor?: AuditActor | undefined
}

/** What can be looked at and done. */
export interface Operations {
  readonly sessions: SessionOperations
  readonly failures: FailureOperations
  readonly tokens: TokenOperations
  readonly caches: CacheOperations
  readonly cluster: ClusterOperations
  readonly sites: SiteOperations
  readonly audit: AuditOperations

  /**
   * The same verbs for somebody else: what they do is written under this name, where the state has an audit (docs/audit.md).
   *
   * @throws {TypeError} it cannot be the name of somebody
   */
  as(actor: AuditActor): Operations

  /** Whether sessions have references: `false` without a keyring. */
  readonly hasReferences: boolean

  /** The realms that were named to {@link createOperations}. */
  realms(): Promise<readonly string[]>

  /**
   * Signs a user out everywhere, tokens included: `state.endUser`. For all but one session use `sessions.end`.
   *
   * @throws {IncompleteError} names the services that failed
   */
  endUser(realmId: string, userId: string): Promise<void>

  /**
   * Leaves nothing that is known about a user: `state.forgetUser`.
   *
   * @throws {IncompleteError} names the services that failed
   */
  forgetUser(realmId: string, userId: string): Promise<void>

  /**
   * Forgets everything of a realm: `state.removeRealm`.
   *
   * @throws {IncompleteError} names the services that failed
   */
  removeRealm(realmId: string): Promise<void>

  /** Makes everything follow the settings of a realm: `state.realmChanged`. */
  realmChanged(realmId: string): Promise<void>

  /** What is selected, why, and with which properties; secrets are masked. */
  configuration(): Description

  /** Whether every provider can serve. Never rejects. */
  health(): Promise<Health>

  /** Figures of this process, by name of the SPI. */
  stats(): Readonly<Record<string, unknown>>
}
