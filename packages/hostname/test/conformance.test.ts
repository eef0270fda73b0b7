import { memoryTarget, runSuite } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { hostnameSuite } from '../src/conformance.js'
import { defaultHostname, fixedHostname, hostnameSpi } from '../src/index.js'

for (const factory of [defaultHostname(), fixedHostname()])
  runSuite(hostnameSuite, memoryTarget(hostnameSpi, [factory], factory.id), { describe, test })
