import { memoryCluster } from '@authstate/cluster'
import { redisCluster } from '@authstate/cluster/redis'
import { providerTarget } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { runSuiteOnRedis } from '../../../test-support/redis-targets.js'
import { describeRealmCache, realmCacheKeySpace, realmCacheSuite } from '../src/conformance.js'
import { realmCacheSpi } from '../src/index.js'
import { redisRealmCache } from '../src/redis.js'

runSuiteOnRedis(realmCacheSuite, {
  factories: [redisRealmCache(), redisCluster()],
  keySpace: realmCacheKeySpace,
  hasPage: false,
})

describeRealmCache(
  providerTarget({
    spi: realmCacheSpi,
    name: 'over a work channel in memory',
    factories: () => [redisRealmCache(), memoryCluster()],
  }),
  { describe, test },
)
