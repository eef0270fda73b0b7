import { memoryTarget } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { describeAuthSessions } from '../src/conformance.js'
import { authSessionSpi, memoryAuthSessions } from '../src/index.js'

describeAuthSessions(memoryTarget(authSessionSpi, [memoryAuthSessions()]), { describe, test })
