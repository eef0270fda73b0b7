export type { ApplicationNodeConfig } from './config.js'
export * from './contract.js'
export {
  createNodeEndpoints,
  type NodeClient,
  type NodeClientRefusal,
  type NodeEndpoint,
  type NodeEndpointOptions,
  type NodeEndpoints,
  type NodeRequestEvent,
} from './endpoints.js'
export { memoryApplicationNodes } from './memory.js'
export type { ApplicationNodeOptions, Claims, SigningRequest } from './options.js'
