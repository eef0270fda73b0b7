import { providerTarget, runSuite } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { trustedDeviceSuite } from '../src/trusted-device/conformance.js'
import { memory } from '../src/under-test.js'

runSuite(trustedDeviceSuite, providerTarget(memory), { describe, test })
