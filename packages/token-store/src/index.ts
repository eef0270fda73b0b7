/**
 * Sessions of an application with the tokens of an OpenID provider, in a store that all its nodes share: refreshed once, ended by
 * the provider, never revived.
 *
 * @module
 */

import { CookieVault } from './cookie-store.js'
import { Fences } from './fences.js'
import type { TokenStore } from './interface.js'
import {
  type CookieStoreOptions,
  checkCookieOptions,
  checkSessionOptions,
  type SessionStoreOptions,
  type TokenStoreState,
} from './options.js'
import { Records } from './record.js'
import { SessionVault } from './session-store.js'
import { ofThisProcess, sharedBy } from './share.js'
import { TokenSessions } from './store.js'

export type * from './interface.js'
export type { AdapterPaths } from './keycloak-adapter.js'
export type {
  CookieContent,
  CookieStoreOptions,
  RefreshContext,
  RefreshedTokens,
  SessionStoreOptions,
  TokenCookieOptions,
  TokenStoreOptions,
  TokenStoreState,
} from './options.js'

export { createReceivers, type Receiver, type ReceiverOptions, type Receivers } from './receivers.js'
export {
  type ClientAuthentication,
  createNodeRegistration,
  type NodeRegistration,
  type NodeRegistrationOptions,
  type RegistrationClient,
  type RegistrationState,
} from './registration.js'
export type { JsonWebKeys, KeySource } from './verifier.js'

/**
 * Sessions in the state; a cookie names one. Tokens never leave the server.
 *
 * @param state What `createAuthState` answers: in memory for one process, on Redis for several. The store does not close it.
 * @throws {TypeError | RangeError | ConfigurationError} an option is wrong
 */
export function createSessionTokenStore(state: TokenStoreState, options: SessionStoreOptions): TokenStore {
  const checked = checkSessionOptions(options, state)
  const fences = new Fences(state, checked.realmId, checked.issuer, checked.sessionMs)
  const records = new Records(checked.issuer, checked.encryptAtRest)
  return new TokenSessions(checked, new SessionVault(state, checked, records, fences), fences)
}

/**
 * Sessions in encrypted cookies.
 *
 * @param state Keeps marks of what was ended, and lets nodes refresh together. Left out: only the
 * browser with the cookie can end its session, and each process refreshes for itself.
 * @throws {TypeError | RangeError | ConfigurationError} an option is wrong
 */
export function createCookieTokenStore(
  options: CookieStoreOptions,
  state?: TokenStoreState | undefined,
): TokenStore {
  const checked = checkCookieOptions(options, state)
  const fences = state && new Fences(state, checked.realmId, checked.issuer, checked.sessionMs)
  const share =
    state === undefined ? ofThisProcess(checked.clock) : sharedBy(state.actionTokens, checked.realmId)
  return new TokenSessions(checked, new CookieVault(checked, share, fences), fences)
}
