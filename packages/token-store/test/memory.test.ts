import { describe } from 'vitest'
import { describeContract } from './contract.js'
import { Application } from './support.js'

describe.each(['session', 'cookie'] as const)('the contract in memory: %s store', (kind) => {
  describeContract((options) => Application.open({ kind, ...options }))
})
