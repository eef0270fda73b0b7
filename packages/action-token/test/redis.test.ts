import { checkScripts } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { runSuiteOnRedis } from '../../../tools/testing/redis-targets.js'
import { actionTokenKeySpace, actionTokenSuite } from '../src/conformance.js'
import { redisActionTokens } from '../src/redis.js'
import * as scripts from '../src/scripts.js'

runSuiteOnRedis(actionTokenSuite, { factories: [redisActionTokens()], keySpace: actionTokenKeySpace })

checkScripts('action-token', scripts, new URL('../src/lua/', import.meta.url), { describe, test })
