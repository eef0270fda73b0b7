import { assertName } from '@authstate/spi'
import { ROUTE } from './rules.js'

/** Throws unless an id can be encoded so that decoding gives it back. */
export function assertEncodableId(id: unknown): asserts id is string {
  assertName(id, 'id')
  if (id.includes('.')) throw new TypeError('"id" must not contain a ".": the route begins there')
}

export function assertRoute(route: unknown): asserts route is string {
  assertName(route, 'route')
  if (!ROUTE.test(route)) throw new TypeError('"route" must have 1 to 255 of A-Z a-z 0-9 _ . ~ : @ + / = -')
}
