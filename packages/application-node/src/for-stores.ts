/**
 * What the author of a store of nodes and messages needs: the port, the contract that is written over it, the schema of its
 * properties, and the rules that every store goes by.
 *
 * A provider is a factory whose `create` answers `new ApplicationNodes(context, config, options, yourStore)`, and which depends on
 * http-client.
 *
 * @module
 */
export { ApplicationNodes } from './application-nodes.js'
export { type ApplicationNodeConfig, applicationNodeConfig } from './config.js'
export { type ApplicationNodeOptions, type Claims, checkOptions, type SigningRequest } from './options.js'
export { deadIdOf, isFinal, messageIdOf, partsOfDeadId } from './rules.js'
export * from './store.js'
