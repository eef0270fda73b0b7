/**
 * What every store of tokens needs besides a store: for authors of providers.
 *
 * Whoever starts each verb with these checks refuses what the suite wants refused, by the same names.
 *
 * @module
 */
export {
  type ActionTokenConfig,
  actionTokenConfig,
  type CheckedConsume,
  type CheckedToken,
  checkConsume,
  checkGet,
  checkKey,
  checkToken,
  decodeData,
  encodeData,
  endOf,
  endOfMark,
  expiryOf,
  isExpired,
  limitsOf,
} from './rules.js'
export { SignedTokens } from './signed-tokens.js'
