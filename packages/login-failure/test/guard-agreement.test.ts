// The same random history of attempts on memory and on Redis, verifications ending in any order: callers get the same answers,
// listeners hear the same, and both hold the same.
import { FakeClock, openInspector } from '@authstate/conformance'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openForHistories } from '../../../tools/testing/redis-targets.js'
import { loginFailureSpi, memoryLoginFailures } from '../src/index.js'
import { redisLoginFailures } from '../src/redis.js'
import { Side } from './guard-agreement/side.js'
import { histories, type World } from './guard-agreement/steps.js'
import { Waiters } from './guard-agreement/waiters.js'

/** Histories, and what they are made from. `AGREEMENT_RUNS` and `AGREEMENT_SEED` say otherwise. */
const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 25)
const SEED = Number(process.env['AGREEMENT_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** What a history may lead to; a history in which nothing happens agrees, too. */
const WORDS = [
  'success',
  'failure',
  'locked',
  'failures',
  'quick-login',
  'secondary-auth-failures',
  'concurrent-attempts',
  'temporary-lock',
  'permanent-lock',
  'unlock',
  'success-after-failures',
  'address',
]

describeWith(redis, 'memory and Redis', () => {
  const client = openForHistories()
  const waiters = new Waiters()
  afterAll(() => {
    waiters.close()
    client.disconnect()
  })

  test(`agree on ${RUNS} random histories of attempts`, { timeout: 7_200_000 }, async () => {
    console.info(`agreement of guards: seed ${SEED}, ${RUNS} histories`)
    const met = new Map<string, number>()
    let run = 0
    await fc.assert(
      fc.asyncProperty(histories, async ({ properties, bruteForce, steps }) => {
        const world: World = { clock: new FakeClock(), realm: { bruteForce } }
        const prefix = `guards-${process.pid}-${run++}`
        const open = async (provider: 'memory' | 'redis') => {
          const registry = createProviderRegistry({
            factories: [memoryLoginFailures(), redisLoginFailures(), redisConnection()],
            config: {
              redis: { client, prefix, commandTimeoutMs: 10_000 },
              spi: { 'login-failure': { provider, [provider]: properties } },
            },
            clock: world.clock,
            realms: () => world.realm,
          })
          await registry.start()
          return registry
        }
        const registries = await Promise.all([open('memory'), open('redis')])
        const sides = registries.map((registry) => new Side(registry.get(loginFailureSpi)))
        /** Until every attempt is being verified, has its answer, or has looked in vain for its turn. */
        const settle = async () => {
          const isQuiet = () =>
            !waiters.areTrying && sides.reduce((sum, side) => sum + side.pending, 0) === waiters.size
          for (const wake of [false, true]) {
            if (wake && waiters.size > 0) waiters.wake()
            do await new Promise(setImmediate)
            while (!isQuiet())
          }
        }
        const compare = async (name: string) => {
          const [inMemory, inRedis] = await Promise.all(sides.map((side) => side.seen()))
          expect(inRedis, name).toEqual(inMemory)
          return JSON.stringify(inMemory?.attempts.map(({ answer }) => answer)) + inMemory?.events.join()
        }
        try {
          let heard = ''
          for (const step of steps) {
            world.clock.advance(1)
            step.before?.(world)
            await settle()
            const [inMemory, inRedis] = await Promise.all(sides.map((side) => step.run(side, world)))
            expect(inRedis, step.name).toEqual(inMemory)
            await settle()
            heard = await compare(step.name)
            for (const word of WORDS) if (heard.includes(`"${word}"`)) met.set(word, (met.get(word) ?? 0) + 1)
          }
          while (sides.some((side) => side.verifying > 0)) {
            for (const side of sides) side.end(0, 'right')
            await settle()
            await compare('at the end')
          }
          expect(waiters.size, 'nobody waits for ever').toBe(0)
        } finally {
          for (const side of sides) while (side.verifying > 0) side.end(0, 'broken')
          await Promise.all(registries.map((registry) => registry.close()))
          await (await openInspector(client)).clear(prefix)
        }
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: process.env['AGREEMENT_SHRINK'] === undefined },
    )
    console.info([...met].map(([word, count]) => `${word} ${count}`).join(', '))
    if (RUNS >= 500) for (const word of WORDS) expect(met.get(word), word).toBeGreaterThan(0)
  })
})
