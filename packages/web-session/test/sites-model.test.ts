// Three sites that change sessions at once, lose each other and hear each other late, twice and out of order hold the same in the end.
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { Messages, type Plant } from '../../../tools/testing/site-walk.js'
import { plants, plantsOfFences } from './sites/plants.js'
import { openSite, REALM, walk, walks } from './sites/walk.js'

/** Walks, and what they are made from. `MODEL_RUNS` and `MODEL_SEED` say otherwise. */
const LONG = process.env['MODEL_RUNS']
const RUNS = Number(LONG ?? 8)
const SEED = Number(process.env['MODEL_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Walks in which a planted error must be seen at least once. */
const PLANTED_RUNS = 400

describeWith(redis, 'sessions of applications at three sites', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  test(`are the same after ${RUNS} random walks`, { timeout: 7_200_000 }, async () => {
    console.info(`sites of web sessions: seed ${SEED}, ${RUNS} walks`)
    await fc.assert(
      fc.asyncProperty(walks, (of) => walk(client, of)),
      { numRuns: RUNS, seed: SEED, endOnFailure: process.env['AGREEMENT_SHRINK'] === undefined },
    )
  })

  /** Sessions of a user at the other site once it has heard that all but one of them were ended here. */
  const afterRemovalOfAll = async (plant?: Plant): Promise<string[]> => {
    const sites = [await openSite(client, 'a'), await openSite(client, 'b', undefined, plant)] as const
    const [a, b] = sites
    const messages = new Messages(sites, [0])
    const session = { data: {}, userId: 'alice', lifespanMs: 3_600_000 }
    try {
      await a.provider.save(REALM, 'here', session)
      await messages.heal()
      await b.provider.save(REALM, 'unknown here', session)
      for (const { clock } of sites) clock.advance(10)
      await a.provider.removeByUser(REALM, 'alice', { except: 'here' })
      for (const { clock } of sites) clock.advance(10)
      await b.provider.save(REALM, 'later', session)
      for (const told of await a.tell()) await b.hear(told)
      return (await b.provider.listByUser(REALM, 'alice')).items.map(({ id }) => id).sort()
    } finally {
      for (const site of sites) await site.close()
    }
  }

  test('scenario 6: a removal of all of a user ends what began before it elsewhere, and spares what it spared', async () => {
    expect(await afterRemovalOfAll()).toEqual(['here', 'later'])
  })

  test.each(Object.entries(plantsOfFences))('are not when %s', async (_, plant) => {
    expect(await afterRemovalOfAll(plant)).not.toEqual(['here', 'later'])
  })

  // Each must be seen, which takes a while.
  if (LONG !== undefined) {
    test.each(Object.entries(plants))('are not when %s', { timeout: 7_200_000 }, async (_, plant) => {
      const found = await fc.check(
        fc.asyncProperty(walks, (of) => walk(client, of, plant)),
        { numRuns: PLANTED_RUNS, seed: SEED, endOnFailure: true },
      )
      console.info(`seen in walk ${found.numRuns}`)
      expect(found.failed).toBe(true)
    })
  }
})
