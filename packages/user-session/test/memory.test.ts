import { memoryTarget } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { describeUserSessions } from '../src/conformance.js'
import { memoryUserSessions, userSessionSpi } from '../src/index.js'

describeUserSessions(memoryTarget(userSessionSpi, [memoryUserSessions()]), { describe, test })
