import { memoryTarget } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { describeActionTokens } from '../src/conformance.js'
import { actionTokenSpi, memoryActionTokens } from '../src/index.js'

describeActionTokens(memoryTarget(actionTokenSpi, [memoryActionTokens()]), { describe, test })
