import type { SiteTopic } from '@authstate/cluster/sites'
import { decodeDeclarations, encodeDeclarations, TOPIC } from '../wire.js'
import { declareShared } from './declaring.js'
import { SharedKeys } from './shared-keys.js'

const everything = encodeDeclarations('everything')[0]

/**
 * What other sites hear of caches of realm data: what is no longer true. The second level of a site hears of it before its nodes do, where
 * there is one at the site that says so; else its nodes empty theirs.
 */
export const realmCacheTopic: SiteTopic = {
  spi: 'realm-cache',
  topic: TOPIC,
  missed: everything,
  async pass(peer, event) {
    const declarations = decodeDeclarations(event)
    // What a version to come has said may have been anything.
    if (declarations === undefined) return everything
    if (declarations === 'everything') return event
    for (const { region, invalidated, isShared } of declarations) {
      if (isShared) await declareShared(peer, new SharedKeys(peer.keys, region), invalidated)
    }
    return event
  },
}
