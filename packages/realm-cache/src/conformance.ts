import { defineSuite, type KeySpaceRules, type Verbs } from '@authstate/conformance'
import { names } from './conformance/hostile-names.js'
import { invalidating } from './conformance/invalidating.js'
import { life } from './conformance/life.js'
import { misspelling } from './conformance/misspelling.js'
import { misuse } from './conformance/misuse.js'
import { nodes } from './conformance/nodes.js'
import { publicKeys } from './conformance/public-keys.js'
import { reading } from './conformance/reading.js'
import { secondLevel } from './conformance/second-level.js'
import { source } from './conformance/source.js'
import { unitOfWork } from './conformance/unit-of-work.js'
import { type RealmCacheProvider, realmCacheSpi } from './contract.js'

const VERBS: Verbs<RealmCacheProvider> = {
  region: 'shared',
  regions: true,
  clearAll: true,
  begin: 'shared',
  inUnitOfWork: true,
  on: true,
}

/** The behaviour every realm-cache provider must show. */
export const realmCacheSuite = defineSuite<RealmCacheProvider>(
  realmCacheSpi,
  (add) => {
    reading(add)
    invalidating(add)
    life(add)
    source(add)
    unitOfWork(add)
    nodes(add)
    secondLevel(add)
    publicKeys(add)
    names(add)
    misuse(add)
    misspelling(add)
  },
  // Cases move the clock by hours: that is no silence.
  { maxSilenceMs: 30 * 86_400_000 },
  VERBS,
)

/** What keys there may be; for `redisTarget`: those of the second level, and of its cluster. */
export const realmCacheKeySpace: KeySpaceRules = {
  records: ['rv', 'rg', 'rt', 'cl', 'cm', 'cs', 'ce', 'ck', 'cf'],
  indexes: {},
  immortal: ['cl', 'cf'],
}
