import { assertInteger, assertKnown, assertName, assertOneOf, assertText, type Known } from '@authstate/spi'
import type { RealmOption, RequestBase, ResolveOptions, UrlType } from './contract.js'

const TYPES = ['frontend', 'backend', 'admin', 'local-admin'] as const satisfies readonly UrlType[]

const REQUEST: Known<RequestBase> = {
  scheme: true,
  host: true,
  port: true,
  localPort: true,
  remoteAddress: true,
  headers: true,
}
const REALM: Known<RealmOption> = { realmId: true }
const RESOLVE: Known<ResolveOptions> = { ...REALM, rootUrl: true }

export function assertType(type: unknown): asserts type is UrlType {
  assertOneOf(type, 'type', TYPES)
}

/** What a client or a proxy wrote is not checked here: where it cannot be read it makes the client unknown, and is no error. */
export function assertRequest(request: unknown): asserts request is RequestBase {
  assertKnown(request, 'request', REQUEST)
  const { scheme, host, port, localPort, remoteAddress, headers } = request
  assertOneOf(scheme, 'request.scheme', ['http', 'https'])
  if (host !== undefined) assertText(host, 'request.host')
  if (port !== undefined) assertInteger(port, 'request.port', 1, 65_535)
  if (localPort !== undefined) assertInteger(localPort, 'request.localPort', 1, 65_535)
  if (remoteAddress !== undefined) assertText(remoteAddress, 'request.remoteAddress')
  if (typeof headers !== 'object' || headers === null)
    throw new TypeError('"request.headers" must be an object')
}

export function assertRealmOption(options: unknown): asserts options is RealmOption {
  assertKnown(options, 'options', REALM)
  if (options.realmId !== undefined) assertName(options.realmId, 'options.realmId')
}

export function assertResolveOptions(options: unknown): asserts options is ResolveOptions {
  assertKnown(options, 'options', RESOLVE)
  if (options.realmId !== undefined) assertName(options.realmId, 'options.realmId')
  if (options.rootUrl !== undefined) assertText(options.rootUrl, 'options.rootUrl')
}
