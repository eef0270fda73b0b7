// Three sites that serve all at once, and lose each other and hear each other late, twice and out of order, hold the same in the end.
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { walked } from './walk/services.js'
import { walk, walks } from './walk/walk.js'

/** Walks, each of all services, and what they are made from. `SITES_RUNS` and `MODEL_SEED` say otherwise. */
const LONG = process.env['SITES_RUNS']
const RUNS = Number(LONG ?? 100)
const SEED = Number(process.env['MODEL_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Walks in which a planted error must be seen at least once: the rarest is seen in one of some hundred. */
const PLANTED_RUNS = 4_000

const planted = walked.flatMap(({ joiner: { spi }, plants }) =>
  Object.entries(plants).map(([name, plant]) => [`${spi}: ${name}`, plant] as const),
)

describeWith(redis, 'all services of three sites', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  test(`scenario 40: are the same after ${RUNS} random walks`, { timeout: 7_200_000 }, async () => {
    console.info(`sites, all services: seed ${SEED}, ${RUNS} walks`)
    await fc.assert(
      fc.asyncProperty(walks, (of) => walk(client, of)),
      { numRuns: RUNS, seed: SEED, endOnFailure: process.env['AGREEMENT_SHRINK'] === undefined },
    )
  })

  // Each must be seen, which takes a while.
  if (LONG !== undefined) {
    test.each(planted)('are not when %s', { timeout: 7_200_000 }, async (_, plant) => {
      const found = await fc.check(
        fc.asyncProperty(walks, (of) => walk(client, of, plant)),
        { numRuns: PLANTED_RUNS, seed: SEED, endOnFailure: true },
      )
      console.info(`seen in walk ${found.numRuns}`)
      expect(found.failed).toBe(true)
    })
  }
})
