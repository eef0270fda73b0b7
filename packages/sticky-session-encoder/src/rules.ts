import { ConfigurationError, type NodeIdentity } from '@authstate/spi'
import { MAX_NAME_BYTES } from '@authstate/spi/internal'
import type { DecodedSession } from './contract.js'

/** Longest value that is looked at. A browser keeps no longer cookie. */
const MAX_VALUE_LENGTH = 4096

/** What can stand in a cookie as it is, and in a configuration file of a load balancer without quotes. */
export const ROUTE = /^[\w.~:@+/=-]{1,255}$/

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
