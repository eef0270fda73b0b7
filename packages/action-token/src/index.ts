export {
  type ActionTokenConfig,
  actionTokenConfig,
  type MemoryActionTokenConfig,
  memoryActionTokenConfig,
  type RevokedToken,
  type RevokedTokenSource,
} from './config.js'
export { confirmLink, type LinkRequest, type LinkStep } from './confirm-link.js'
export {
  type ActionToken,
  type ActionTokenEvents,
  type ActionTokenLimits,
  type ActionTokenProvider,
  actionTokenSpi,
  type ConsumeOptions,
  type ConsumeOutcome,
  type FamilyRevocation,
  type JsonValue,
  type Lifetime,
  type ListedToken,
  type ListOptions,
  type NewActionToken,
  type NewToken,
  type TokenData,
  type TokenRecord,
  type UseCount,
  type VerifyOutcome,
} from './contract.js'
export { memoryActionTokens } from './memory.js'
export {
  createReplayGuard,
  type FirstUse,
  type ProofId,
  type ReplayGuard,
  type ReplayGuardOptions,
} from './replay-guard.js'
export { actionTokenService } from './service.js'
