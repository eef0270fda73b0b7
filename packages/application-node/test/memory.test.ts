import { memoryTarget } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { describeApplicationNodes, suiteHttpClient, suiteOptions } from '../src/conformance.js'
import { applicationNodeSpi, memoryApplicationNodes } from '../src/index.js'

describeApplicationNodes(
  memoryTarget(applicationNodeSpi, () => [memoryApplicationNodes(suiteOptions), suiteHttpClient()]),
  { describe, test },
)
