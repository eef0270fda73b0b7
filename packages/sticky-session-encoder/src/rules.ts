import { assertName, ConfigurationError, MAX_NAME_BYTES, type NodeIdentity } from '@authstate/spi'
import * as v from 'valibot'
import type { DecodedSession } from './contract.js'

/** Longest value that is looked at. A browser keeps no longer cookie. */
const MAX_VALUE_LENGTH = 4096

/** What can stand in a cookie as it is, and in a configuration file of a load balancer without quotes. */
const ROUTE = /^[\w.~:@+/=-]{1,255}$/

const properties = {
  /** `false`: no route is attached, for a balancer that appends its own. */
  shouldAttachRoute: v.optional(v.boolean(), true),
  cookieName: v.optional(
    v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'must have 1 to 64 of A-Z a-z 0-9 _ -')),
    'AUTH_SESSION_ID',
  ),
  path: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\/[\x21-\x3a\x3c-\x7e]*$/, 'must begin with "/" and have no space and no ";"'),
    ),
    '/',
  ),
  /** Left out: the host that set the cookie, and no other. */
  domain: v.optional(v.pipe(v.string(), v.regex(/^[\w.-]{1,255}$/, 'must be a host name'))),
  sameSite: v.optional(v.picklist(['none', 'lax', 'strict']), 'none'),
  /** `false` only where a browser reaches the server without TLS, and then not with `sameSite: 'none'`. */
  secure: v.optional(v.boolean(), true),
}

const isKeptByBrowsers = (config: { sameSite: string; secure: boolean }): boolean =>
  config.secure || config.sameSite !== 'none'
const NEEDS_SECURE = '"none" needs "secure": a browser drops the cookie otherwise'

/** Properties of the memory provider. */
export const memoryStickySessionConfig = v.pipe(
  v.strictObject({
    ...properties,
    /** What the load balancer calls this node. @default the node's own `route`, else none */
    route: v.optional(
      v.pipe(v.string(), v.regex(ROUTE, 'must have 1 to 255 of A-Z a-z 0-9 _ . ~ : @ + / = -')),
    ),
  }),
  v.forward(
    v.check((config) => isKeptByBrowsers(config), NEEDS_SECURE),
    ['sameSite'],
  ),
)

/** Properties of the Redis provider. */
export const redisStickySessionConfig = v.pipe(
  v.strictObject(properties),
  v.forward(
    v.check((config) => isKeptByBrowsers(config), NEEDS_SECURE),
    ['sameSite'],
  ),
)

/** What every provider is configured with, defaults filled in. */
export type StickySessionConfig = v.InferOutput<typeof redisStickySessionConfig>
/** Properties of the memory provider, with defaults filled in. */
export type MemoryStickySessionConfig = v.InferOutput<typeof memoryStickySessionConfig>

/** `id`, or `id.route`. */
export function joinRoute(id: string, route: string | undefined): string {
  return route === undefined ? id : `${id}.${route}`
}

/** Takes a value apart at its first `.`; `undefined` for what is no string or too long. */
export function splitRoute(
  value: unknown,
): { readonly message: string; readonly route?: string } | undefined {
  if (typeof value !== 'string' || value.length > MAX_VALUE_LENGTH) return undefined
  const dot = value.indexOf('.')
  // A dot at the very end is not the beginning of a route: nobody appends an empty one.
  if (dot === -1 || dot === value.length - 1) return { message: value }
  return { message: value.slice(0, dot), route: value.slice(dot + 1) }
}

/** {@link splitRoute} for a value that was not signed; `undefined` also for what has no id. */
export function decodeSession(value: unknown): DecodedSession | undefined {
  const split = splitRoute(value)
  if (split === undefined || !isName(split.message)) return undefined
  return { id: split.message, ...(split.route !== undefined && { route: split.route }) }
}

/** Whether a value from outside can be an id. */
export function isName(value: string): boolean {
  return value.length > 0 && Buffer.byteLength(value) <= MAX_NAME_BYTES && !/\p{Surrogate}/u.test(value)
}

/** Throws unless an id can be encoded so that decoding gives it back. */
export function assertEncodableId(id: unknown): asserts id is string {
  assertName(id, 'id')
  if (id.includes('.')) throw new TypeError('"id" must not contain a ".": the route begins there')
}

export function assertRoute(route: unknown): asserts route is string {
  assertName(route, 'route')
  if (!ROUTE.test(route)) throw new TypeError('"route" must have 1 to 255 of A-Z a-z 0-9 _ . ~ : @ + / = -')
}

/** What the load balancer calls a node. */
export function routeOf(node: Pick<NodeIdentity, 'name' | 'route'>): string {
  return node.route ?? node.name
}

/** @throws {ConfigurationError} the name cannot stand in a cookie */
export function ownRoute(node: NodeIdentity): string {
  const route = routeOf(node)
  if (!ROUTE.test(route)) {
    throw new ConfigurationError(
      `${node.route === undefined ? 'node.name' : 'node.route'}: cannot stand in a cookie as it is. ` +
        'Give a "node.route" of A-Z a-z 0-9 _ . ~ : @ + / = -',
    )
  }
  return route
}
