import { memoryTarget, runSuite } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { realmCacheSuite } from '../src/conformance.js'
import { memoryRealmCache, realmCacheSpi } from '../src/index.js'

runSuite(realmCacheSuite, memoryTarget(realmCacheSpi, [memoryRealmCache()]), { describe, test })
