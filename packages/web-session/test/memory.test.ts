import { memoryTarget } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { describeWebSessions } from '../src/conformance.js'
import { memoryWebSessions, webSessionSpi } from '../src/index.js'

describeWebSessions(memoryTarget(webSessionSpi, [memoryWebSessions()]), { describe, test })
