import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noFence, play } from './histories/player.js'
import { steps } from './histories/steps.js'

const { MODEL_RUNS = '25', MODEL_SEED } = process.env
const runs = { numRuns: Number(MODEL_RUNS), ...(MODEL_SEED !== undefined && { seed: Number(MODEL_SEED) }) }

describe.each(['session', 'cookie'] as const)('histories on two nodes: %s store', (kind) => {
  test('what the model calls ended is served by nobody, and what it calls alive by both', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (history) => play(history, { kind })),
      runs,
    )
  })

  test('a store without fences is found out', async () => {
    const check = () =>
      fc.assert(
        fc.asyncProperty(steps, (history) => play(history, { kind, over: noFence })),
        { numRuns: 500, seed: 7, endOnFailure: true },
      )
    await expect(check()).rejects.toThrow(/Property failed/)
  })
})
