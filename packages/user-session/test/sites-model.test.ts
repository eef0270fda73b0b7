// Three sites that write at once, lose each other and hear each other late, twice and out of order hold the same in the end.
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { forkPlants, plants } from './sites/plants.js'
import { walk, walks } from './sites/walk.js'

/** Walks, and what they are made from. `MODEL_RUNS` and `MODEL_SEED` say otherwise. */
const LONG = process.env['MODEL_RUNS']
const RUNS = Number(LONG ?? 12)
const SEED = Number(process.env['MODEL_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Walks in which a planted error must be seen at least once. */
const PLANTED_RUNS = 400

describeWith(redis, 'user sessions of three sites', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  test(`are the same after ${RUNS} random walks`, { timeout: 7_200_000 }, async () => {
    console.info(`sites of user sessions: seed ${SEED}, ${RUNS} walks`)
    await fc.assert(
      fc.asyncProperty(walks, (of) => walk(client, of)),
      { numRuns: RUNS, seed: SEED, endOnFailure: process.env['AGREEMENT_SHRINK'] === undefined },
    )
  })

  // Each must be seen, which takes a while.
  if (LONG !== undefined) {
    test.each(Object.entries({ ...plants, ...forkPlants }))(
      'are not when %s',
      { timeout: 7_200_000 },
      async (_, plant) => {
        const found = await fc.check(
          fc.asyncProperty(walks, (of) => walk(client, of, plant)),
          { numRuns: PLANTED_RUNS, seed: SEED, endOnFailure: true },
        )
        console.info(`seen in walk ${found.numRuns}`)
        expect(found.failed).toBe(true)
      },
    )
  }
})
