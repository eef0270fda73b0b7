import { memoryTarget, runSuite } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { actionTokenSuite } from '../src/conformance.js'
import { actionTokenSpi, memoryActionTokens } from '../src/index.js'

runSuite(actionTokenSuite, memoryTarget(actionTokenSpi, [memoryActionTokens()]), { describe, test })
