import { checkScripts } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { runSuiteOnRedis } from '../../../tools/testing/redis-targets.js'
import { clusterKeySpace, clusterSuite } from '../src/conformance.js'
import { redisCluster } from '../src/redis.js'
import * as scripts from '../src/scripts.js'

runSuiteOnRedis(clusterSuite, { factories: [redisCluster()], keySpace: clusterKeySpace })

checkScripts('cluster', scripts, new URL('../src/lua/', import.meta.url), { describe, test })
