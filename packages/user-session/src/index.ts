export type { UserSessionConfig } from './config.js'
export * from './contract.js'
export { memoryUserSessions } from './memory.js'
export { userSessionService } from './service.js'
