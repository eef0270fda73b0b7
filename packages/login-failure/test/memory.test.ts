import { memoryTarget } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { describeLoginFailures } from '../src/conformance.js'
import { loginFailureSpi, memoryLoginFailures } from '../src/index.js'

describeLoginFailures(memoryTarget(loginFailureSpi, [memoryLoginFailures()]), { describe, test })
