import type { Node } from './nodes.js'
import { ISSUER } from './world.js'

/** Fetches an address of the issuer from one node: what a load balancer would do, under the demo's control. */
export function fetchFrom(node: Node, address: string | URL, init: RequestInit = {}): Promise<Response> {
  const { origin, pathname, search } = new URL(address)
  if (origin !== ISSUER) throw new Error(`${origin} is not the issuer`)
  return fetch(node.origin + pathname + search, { ...init, redirect: 'manual' })
}
