export {
  type ActionToken,
  type ActionTokenProvider,
  actionTokenSpi,
  type ConsumeOutcome,
  type JsonValue,
  type NewActionToken,
  type NewToken,
  type TokenData,
  type TokenRecord,
  type VerifyOutcome,
} from './contract.js'
export { memoryActionTokens } from './memory.js'
export { type ActionTokenConfig, actionTokenConfig } from './rules.js'
