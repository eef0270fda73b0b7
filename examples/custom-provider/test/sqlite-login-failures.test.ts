import { providerTarget, runSuite } from '@authstate/conformance'
import { loginFailureSuite } from '@authstate/login-failure/conformance'
import { describe, test } from 'vitest'
import { sqliteFailures } from '../src/under-test.js'

runSuite(loginFailureSuite, providerTarget(sqliteFailures), { describe, test })
