import { memoryTarget } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { describeRealmCache } from '../src/conformance.js'
import { memoryRealmCache, realmCacheSpi } from '../src/index.js'

describeRealmCache(memoryTarget(realmCacheSpi, [memoryRealmCache()]), { describe, test })
