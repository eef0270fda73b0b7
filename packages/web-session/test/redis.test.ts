import { checkScripts } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { runSuiteOnRedis } from '../../../tools/testing/redis-targets.js'
import { webSessionKeySpace, webSessionSuite } from '../src/conformance.js'
import { redisWebSessions } from '../src/redis.js'
import * as scripts from '../src/scripts.js'

runSuiteOnRedis(webSessionSuite, { factories: [redisWebSessions()], keySpace: webSessionKeySpace })

checkScripts('web-session', scripts, new URL('../src/lua/', import.meta.url), { describe, test })
