import type { ClientTargets } from '@authstate/application-node'
import type { AuthState } from 'authstate'
import type { HealthHandlers } from 'authstate/health'
import type { Context } from 'hono'
import type { JWK } from 'jose'

/** An application that sends its users here to sign in. */
export interface Client {
  readonly clientId: string
  readonly name: string
  /** Absent for a public client, such as an app in the browser: PKCE alone binds its codes. */
  readonly secret?: string
  /** Compared character by character. */
  readonly redirectUris: readonly string[]
  /** Where a user may be sent after signing out; compared character by character. */
  readonly postLogoutRedirectUris?: readonly string[]
  /** Where its nodes take logout tokens. */
  readonly backchannelLogoutUri?: string
  /** Where its nodes take what Keycloak sends its adapters. */
  readonly managementUrl?: string
  /** What an administrator allows its nodes: hosts that may register, networks, how long one is known that does not come again. */
  readonly nodes?: Pick<
    ClientTargets,
    'allowedHosts' | 'egress' | 'allowInsecure' | 'nodeTimeoutMs' | 'maxNodes'
  >
}

export interface User {
  /** Never changes and is never given to somebody else: what failures are counted by. */
  readonly id: string
  readonly username: string
  readonly name: string
  readonly email: string
  /** From `hashPassword`. */
  readonly passwordHash: string
  /** Whether the page of administrators opens. @default false */
  readonly isAdmin?: boolean
}

export interface AuthServerOptions {
  readonly state: AuthState
  /** The URL that all nodes go by together, without a path. */
  readonly issuer: string
  readonly clients: readonly Client[]
  readonly users: readonly User[]
  /** @default 'main' */
  readonly realmId?: string
  /** From `generateSigningKey`; the same on every node. @default one of its own, for a server of one node */
  readonly signingKey?: JWK
  /** Life of an access token. @default 300_000 (5 minutes) */
  readonly accessTokenLifespanMs?: number
  /** Rows of a page of "my sessions". @default 5 */
  readonly sessionsPerPage?: number
  /**
   * Logins that one address may begin within half an hour, on this node: what a login under way takes, some 6 KB, is there
   * for as long, and nobody has to know a password to begin one. @default 300
   */
  readonly loginsPerAddress?: number
  /** Answers `/livez` and `/readyz`, for an orchestrator and a load balancer. @default made from the state */
  readonly health?: HealthHandlers
  /** Named in the header `X-Node` of every answer, to watch a load balancer by. @default no such header */
  readonly nodeName?: string
  /** Address of the caller. Behind a proxy: what that proxy says. @default the socket's */
  readonly ipAddress?: (context: Context) => string | undefined
}
