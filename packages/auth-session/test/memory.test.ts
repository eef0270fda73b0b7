import { memoryTarget, runSuite } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { authSessionSuite } from '../src/conformance.js'
import { authSessionSpi, memoryAuthSessions } from '../src/index.js'

runSuite(authSessionSuite, memoryTarget(authSessionSpi, [memoryAuthSessions()]), { describe, test })
