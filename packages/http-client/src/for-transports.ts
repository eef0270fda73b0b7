/**
 * For authors of a provider that sends requests in another way than with undici: the port, the contract that is
 * written over it, the schema of its properties, and the rules of an address.
 *
 * A provider is a factory whose `create` answers `new HttpRequests(context, config, yourTransport)`.
 *
 * @module
 */
export { type EgressPolicy, type EgressRule, isAllowed, isPublic, parseEgressRule } from './addresses.js'
export { type HttpClientConfig, httpClientConfig } from './config.js'
export { type Host, type IpAddress, parseAddress } from './hosts.js'
export { HttpRequests } from './http-requests.js'
export { environmentProxies, type HttpProxy, type ProxyChoice } from './proxies.js'
export type { CleanRequest, Target, Transport, TransportAnswer } from './transport.js'
