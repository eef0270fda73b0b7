import { providerTarget, runSuite } from '@authstate/conformance'
import { userSessionSuite } from '@authstate/user-session/conformance'
import { describe, test } from 'vitest'
import { sqliteSessions } from '../src/under-test.js'

runSuite(userSessionSuite, providerTarget(sqliteSessions), { describe, test })
