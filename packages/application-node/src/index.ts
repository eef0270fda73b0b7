export type { ApplicationNodeConfig } from './config.js'
export * from './contract.js'
export { memoryApplicationNodes } from './memory.js'
export type { ApplicationNodeOptions, Claims, SigningRequest } from './options.js'
