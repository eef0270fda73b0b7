import { checkScripts } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { runSuiteOnRedis } from '../../../tools/testing/redis-targets.js'
import { loginFailureKeySpace, loginFailureSuite } from '../src/conformance.js'
import { redisLoginFailures } from '../src/redis.js'
import * as scripts from '../src/scripts.js'

runSuiteOnRedis(loginFailureSuite, { factories: [redisLoginFailures()], keySpace: loginFailureKeySpace })

const { STATE_FIELDS, decodeState, ...descriptors } = scripts
checkScripts('login-failure', descriptors, new URL('../src/lua/', import.meta.url), { describe, test })
