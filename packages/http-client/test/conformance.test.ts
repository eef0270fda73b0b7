import { memoryTarget, runSuite } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { httpClientSuite } from '../src/conformance.js'
import { httpClientSpi, undiciHttpClient } from '../src/index.js'

runSuite(httpClientSuite, memoryTarget(httpClientSpi, [undiciHttpClient({ env: {} })], 'undici'), {
  describe,
  test,
})
