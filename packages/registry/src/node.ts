import { hostname } from 'node:os'
import { assertOptionalName, assertOptions, type Known, type NodeIdentity, randomId } from '@authstate/spi'

const IDENTITY: Known<NodeIdentity> = { name: true, site: true, route: true }

/**
 * The identity of this process, with a name of its own if none is given: the host's and six random characters.
 *
 * @throws {TypeError} a given name, site or route is not a name, or something else is given.
 */
export function identifyNode(given: Partial<NodeIdentity> | undefined): NodeIdentity {
  if (given !== undefined) assertOptions(given, 'node', IDENTITY)
  assertOptionalName(given?.name, 'node.name')
  assertOptionalName(given?.site, 'node.site')
  assertOptionalName(given?.route, 'node.route')
  const { name = freshName(), site, route } = given ?? {}
  return Object.freeze({ name, ...(site !== undefined && { site }), ...(route !== undefined && { route }) })
}

function freshName(): string {
  const host =
    hostname()
      .split('.')[0]
      ?.replace(/[^\w-]/g, '') || 'node'
  return `${host}-${randomId()
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, 6)}`
}
