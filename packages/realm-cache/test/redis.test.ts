import { memoryCluster } from '@authstate/cluster'
import { redisCluster } from '@authstate/cluster/redis'
import { checkScripts, providerTarget, runSuite } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { runSuiteOnRedis } from '../../../tools/testing/redis-targets.js'
import { realmCacheKeySpace, realmCacheSuite } from '../src/conformance.js'
import { realmCacheSpi } from '../src/index.js'
import { redisRealmCache } from '../src/redis.js'
import * as scripts from '../src/scripts.js'

checkScripts('realm-cache', scripts, new URL('../src/lua/', import.meta.url), { describe, test })

runSuiteOnRedis(realmCacheSuite, {
  factories: [redisRealmCache(), redisCluster()],
  keySpace: realmCacheKeySpace,
  dependsOn: ['cluster'],
})

runSuite(
  realmCacheSuite,
  providerTarget({
    spi: realmCacheSpi,
    name: 'over a work channel in memory',
    factories: () => [redisRealmCache(), memoryCluster()],
  }),
  { describe, test },
)
