// Three sites that count failures at once, lose each other and hear each other late, twice and out of order hold the same in the end.
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import { Messages } from '../../../tools/testing/site-walk.js'
import { plants } from './sites/plants.js'
import { type FailureSite, failuresOf, openSite, walk, walks } from './sites/walk.js'

/** Walks, and what they are made from. `MODEL_RUNS` and `MODEL_SEED` say otherwise. */
const LONG = process.env['MODEL_RUNS']
const RUNS = Number(LONG ?? 12)
const SEED = Number(process.env['MODEL_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Walks in which a planted error must be seen at least once. */
const PLANTED_RUNS = 200

const REALM = 'r'

const bytesOf = (records: readonly { readonly name: string; readonly state: string }[]) =>
  records.reduce((sum, { name, state }) => sum + name.length + state.length, 0)

describeWith(redis, 'login failures of several sites', () => {
  const client = openRedis()
  afterAll(() => client.disconnect())

  /** Two sites, and the messages between them. */
  const withTwo = async (work: (a: FailureSite, b: FailureSite, messages: Messages) => Promise<void>) => {
    const sites = [await openSite(client, 'a'), await openSite(client, 'b')] as const
    try {
      await work(...sites, new Messages(sites, [0]))
    } finally {
      for (const site of sites) await site.close()
    }
  }
  const fail = async (site: FailureSite, times: number) => {
    for (let n = 0; n < times; n++) await failuresOf(site).recordFailure(REALM, 'alice')
  }
  const stateAt = (site: FailureSite) => failuresOf(site).get(REALM, 'alice')

  test('scenario 20: failures of both add up, and lock at both', () =>
    withTwo(async (a, b, messages) => {
      await fail(a, 3)
      await fail(b, 4)
      await messages.heal()
      for (const site of [a, b]) {
        expect(await stateAt(site)).toMatchObject({ numFailures: 7, numTemporaryLockouts: 1 })
        expect(await failuresOf(site).check(REALM, 'alice')).toMatchObject({ locked: true })
        const { items } = await failuresOf(site).listLocked(REALM)
        expect(items).toHaveLength(1)
      }
      // What comes after that is counted as at one site: the next threshold is ten.
      for (const { clock } of [a, b]) clock.advance(60_001)
      await fail(a, 1)
      await messages.heal()
      for (const site of [a, b]) {
        expect(await stateAt(site)).toMatchObject({ numFailures: 8 })
        expect((await stateAt(site))?.numTemporaryLockouts).toBe((await stateAt(a))?.numTemporaryLockouts)
      }
      expect(await stateAt(b)).toEqual(await stateAt(a))
    }))

  test('scenario 21: a success wins over failures that did not know it; a failure behind it is the first', () =>
    withTwo(async (a, b, messages) => {
      await fail(a, 2)
      await messages.heal()
      await fail(b, 1)
      for (const { clock } of [a, b]) clock.advance(10)
      await failuresOf(a).recordSuccess(REALM, 'alice')
      await messages.heal()
      for (const site of [a, b]) expect(await stateAt(site)).toBeUndefined()
      await fail(b, 1)
      await messages.heal()
      for (const site of [a, b]) expect(await stateAt(site)).toMatchObject({ numFailures: 1 })
    }))

  test('scenario 22: a threshold that both crossed is one lock-out, and the later lock stands', () =>
    withTwo(async (a, b, messages) => {
      await fail(a, 5)
      for (const { clock } of [a, b]) clock.advance(30_000)
      await fail(b, 5)
      const later = (await stateAt(b))?.lockedUntil
      expect(later).toBeGreaterThan((await stateAt(a))?.lockedUntil ?? 0)
      await messages.heal()
      for (const site of [a, b]) {
        expect(await stateAt(site)).toMatchObject({
          numFailures: 10,
          numTemporaryLockouts: 1,
          lockedUntil: later,
        })
      }
    }))

  test('scenario 23: a thousand guesses on one user are told as one record', () =>
    withTwo(async (a, b, messages) => {
      await Promise.all(
        Array.from({ length: 1_000 }, () =>
          failuresOf(a).recordFailure(REALM, 'alice', { ip: '203.0.113.7' }),
        ),
      )
      const told = await a.tell()
      expect(told).toHaveLength(1)
      await b.hear(told[0] as (typeof told)[number])
      expect(await stateAt(b)).toEqual(await stateAt(a))

      // The same guesses, but of a hundred users.
      await Promise.all(
        Array.from({ length: 1_000 }, (_, n) =>
          failuresOf(a).recordFailure(REALM, `user-${n % 100}`, { ip: '203.0.113.7' }),
        ),
      )
      const spread = await a.tell()
      expect(spread).toHaveLength(100)
      expect(bytesOf(told)).toBeLessThan(0.05 * bytesOf(spread))
      expect(messages).toBeDefined()
    }))

  test(`are the same after ${RUNS} random walks`, { timeout: 7_200_000 }, async () => {
    console.info(`sites of login failures: seed ${SEED}, ${RUNS} walks`)
    await fc.assert(
      fc.asyncProperty(walks, (of) => walk(client, of)),
      { numRuns: RUNS, seed: SEED, endOnFailure: process.env['AGREEMENT_SHRINK'] === undefined },
    )
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
      expect(found.errorInstance).toHaveProperty('name', 'AssertionError')
    })
  }
})
