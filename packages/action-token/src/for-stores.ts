/**
 * What the author of a store of tokens needs: the port, the contract that is written over it, the schema of its properties,
 * and the rules that every store goes by.
 *
 * A provider is a factory whose `create` answers `new ActionTokens(context, config, yourStore)`.
 *
 * @module
 */
export { ActionTokens } from './action-tokens.js'
export { type ActionTokenConfig, actionTokenConfig } from './config.js'
export {
  type Attempt,
  type AttemptReply,
  type AttemptStep,
  applyAttempt,
  type Consumption,
  countedUse,
  isListed,
  type Listed,
  mayReplace,
  positionOf,
  type StoredToken,
  type TokenDraft,
} from './rules.js'
export type { PutOptions, Revocation, StoredListing, TokenName, TokenPage, TokenStore } from './store.js'
