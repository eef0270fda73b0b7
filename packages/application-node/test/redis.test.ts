import { checkScripts } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { runSuiteOnRedis } from '../../../tools/testing/redis-targets.js'
import {
  applicationNodeKeySpace,
  applicationNodeSuite,
  suiteHttpClient,
  suiteOptions,
} from '../src/conformance.js'
import { redisApplicationNodes } from '../src/redis.js'
import * as scripts from '../src/scripts.js'

runSuiteOnRedis(applicationNodeSuite, {
  // All that a script touches lies in one slot, which the check of the keys sees; a Cluster is one of every store.
  only: ['redis'],
  factories: [redisApplicationNodes(suiteOptions), suiteHttpClient()],
  keySpace: applicationNodeKeySpace,
})

checkScripts('application-node', scripts, new URL('../src/lua/', import.meta.url), { describe, test })
