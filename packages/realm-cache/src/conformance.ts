import { defineSuite, type Runner, runSuite, type Target } from '@authstate/conformance'
import { invalidating } from './conformance/invalidating.js'
import { life } from './conformance/life.js'
import { misuse } from './conformance/misuse.js'
import { reading } from './conformance/reading.js'
import { source } from './conformance/source.js'
import { unitOfWork } from './conformance/unit-of-work.js'
import { type RealmCacheProvider, realmCacheSpi } from './contract.js'

/** The behaviour every realm-cache provider must show. */
export const realmCacheSuite = defineSuite<RealmCacheProvider>(realmCacheSpi, (add) => {
  reading(add)
  invalidating(add)
  life(add)
  source(add)
  unitOfWork(add)
  misuse(add)
})

/** Registers the suite for one implementation. */
export function describeRealmCache(target: Target<RealmCacheProvider>, runner: Runner): void {
  runSuite(realmCacheSuite, target, runner)
}
