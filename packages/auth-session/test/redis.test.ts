import { checkScripts } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { runSuiteOnRedis } from '../../../tools/testing/redis-targets.js'
import { authSessionKeySpace, authSessionSuite } from '../src/conformance.js'
import { redisAuthSessions } from '../src/redis.js'
import * as scripts from '../src/scripts.js'

runSuiteOnRedis(authSessionSuite, { factories: [redisAuthSessions()], keySpace: authSessionKeySpace })

checkScripts('auth-session', scripts, new URL('../src/lua/', import.meta.url), { describe, test })
