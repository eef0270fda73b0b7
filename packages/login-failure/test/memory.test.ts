import { memoryTarget, runSuite } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { loginFailureSuite } from '../src/conformance.js'
import { loginFailureSpi, memoryLoginFailures } from '../src/index.js'

runSuite(loginFailureSuite, memoryTarget(loginFailureSpi, [memoryLoginFailures()]), { describe, test })
