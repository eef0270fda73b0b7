import { memoryTarget, runSuite } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { userSessionSuite } from '../src/conformance.js'
import { memoryUserSessions, userSessionSpi } from '../src/index.js'

runSuite(userSessionSuite, memoryTarget(userSessionSpi, [memoryUserSessions()]), { describe, test })
