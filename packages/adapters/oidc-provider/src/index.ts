/**
 * An adapter for oidc-provider, over the state of authstate: a code or a refresh token is redeemed once, also at two processes at
 * once, a session that was ended stays ended, and the sessions and grants of a user can be listed and ended.
 *
 * @module
 */
import { type Accounts, accountsOf } from './accounts.js'
import { ClientAdapter } from './clients.js'
import { Grants } from './grants.js'
import { RedemptionLease } from './lease.js'
import type { Adapter } from './models.js'
import { type AdapterOptions, type AdapterState, checkOptions } from './options.js'
import { Requests } from './requests.js'
import { SessionAdapter } from './sessions.js'
import { TokenAdapter } from './tokens.js'

export type { AccountGrant, AccountSession, Accounts, EndSessionsOptions } from './accounts.js'
export type { Adapter, Payload } from './models.js'
export { OAuthError, type OAuthErrorParts } from './oauth-error.js'
export type { AdapterOptions, AdapterState, RefusedSave } from './options.js'

/** What `adapter` of the configuration of oidc-provider takes, with what it can do for the users of an application. */
export interface AdapterFactory extends Accounts {
  /** The adapter of one model. oidc-provider asks for each by its name: `'Session'`, `'RefreshToken'`, `'Grant'` ... */
  (model: string): Adapter
}

/**
 * The adapter for `new Provider(issuer, { adapter })`.
 *
 * @param state What `createAuthState` answers. The adapter does not close it.
 * @throws {TypeError | RangeError} naming the option that is wrong
 * @throws {ConfigurationError} what is configured cannot keep what oidc-provider will store, such as a `ttl` above
 *   `maxLifespanMs`; names both
 */
export function createAdapter(state: AdapterState, options: AdapterOptions = {}): AdapterFactory {
  const checked = checkOptions(options, state)
  const { realmId, redemption } = checked
  const requests = new Requests(checked.Provider)
  const tokens = state.actionTokens
  const shared = {
    tokens,
    options: checked,
    requests,
    grants: new Grants(tokens, realmId, requests),
    lease:
      redemption === 'lease' && state.cluster !== undefined
        ? new RedemptionLease(state.cluster, requests, realmId)
        : undefined,
  }
  const sessionContext = { sessions: state.webSessions, options: checked, requests }
  const adapterOf = (model: string): Adapter => {
    if (model === 'Session') return new SessionAdapter(sessionContext)
    if (model === 'Client') return new ClientAdapter(shared)
    return new TokenAdapter(model, shared)
  }
  return Object.assign(adapterOf, accountsOf(sessionContext, shared))
}
