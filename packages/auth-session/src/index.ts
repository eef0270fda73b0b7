export { type AuthSessionConfig, authSessionConfig } from './config.js'
export {
  type AddedTab,
  type AuthSessionEvents,
  type AuthSessionProvider,
  type AuthSessionTab,
  type AuthSessionTabPatch,
  authSessionSpi,
  type ExecutionStatus,
  type NewAuthSessionTab,
  type PromotedTab,
  type RemovedTab,
  type RootAuthSession,
  type RootRemovalReason,
  type RootSummary,
} from './contract.js'
export {
  authSessionHash,
  createLoginCookies,
  type LoginCookieOptions,
  type LoginCookies,
  type RestartData,
} from './cookies.js'
export { memoryAuthSessions } from './memory.js'
export { authSessionService } from './service.js'
