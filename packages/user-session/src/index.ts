export * from './contract.js'
export { memoryUserSessions } from './memory.js'
export type { UserSessionConfig } from './rules.js'
