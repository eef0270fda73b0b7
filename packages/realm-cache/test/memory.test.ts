import { providerTarget } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { SHUT_DOWN_CASE } from '../src/conformance/nodes.js'
import { describeRealmCache } from '../src/conformance.js'
import { memoryRealmCache, realmCacheSpi } from '../src/index.js'

describeRealmCache(
  providerTarget({
    spi: realmCacheSpi,
    name: 'memory',
    factories: [memoryRealmCache()],
    nodes: 'one',
    leaveOut: { [SHUT_DOWN_CASE]: 'there is one node: who ends it ends all' },
  }),
  { describe, test },
)
