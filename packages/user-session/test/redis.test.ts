import { checkScripts } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { runSuiteOnRedis } from '../../../tools/testing/redis-targets.js'
import { userSessionKeySpace, userSessionSuite } from '../src/conformance.js'
import { redisUserSessions } from '../src/redis.js'
import * as scripts from '../src/scripts.js'

runSuiteOnRedis(userSessionSuite, { factories: [redisUserSessions()], keySpace: userSessionKeySpace })

checkScripts('user-session', scripts, new URL('../src/lua/', import.meta.url), { describe, test })
