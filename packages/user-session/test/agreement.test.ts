// The same random history on memory and on Redis: whatever one answers, tells and holds, the other does.
import { FakeClock, openInspector } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import type { RealmSettings } from '@authstate/spi'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openForHistories } from '../../../tools/testing/redis-targets.js'
import { memoryUserSessions, userSessionSpi } from '../src/index.js'
import { Side } from './agreement/side.js'
import { histories } from './agreement/steps.js'
import { openNode } from './support.js'

/** Histories, and what they are made from. `AGREEMENT_RUNS` and `AGREEMENT_SEED` say otherwise. */
const RUNS = Number(process.env['AGREEMENT_RUNS'] ?? 60)
const SEED = Number(process.env['AGREEMENT_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

describeWith(redis, 'memory and Redis', () => {
  const client = openForHistories()
  afterAll(() => client.disconnect())

  test(`agree on ${RUNS} random histories`, { timeout: 7_200_000 }, async () => {
    console.info(`agreement of user sessions: seed ${SEED}, ${RUNS} histories`)
    const met = new Map<string, number>()
    let run = 0
    await fc.assert(
      fc.asyncProperty(histories, async ({ limits, steps }) => {
        const clock = new FakeClock()
        const settings: { realm: RealmSettings } = { realm: {} }
        const realms = () => settings.realm
        const properties = { ...limits, sweepIntervalMs: 0 }
        const prefix = `agreement-${process.pid}-${run++}`
        const registry = createProviderRegistry({
          factories: [memoryUserSessions()],
          config: { spi: { 'user-session': properties } },
          clock,
          realms,
        })
        await registry.start()
        await using node = await openNode({ client, prefix, clock, realms, properties })
        const sides = [new Side(registry.get(userSessionSpi)), new Side(node)] as const
        try {
          for (const step of steps) {
            clock.advance(1)
            step.before?.({ clock, settings })
            const [inMemory, inRedis] = await Promise.all(sides.map((side) => side.run(step, clock)))
            expect(inRedis, step.name).toEqual(inMemory)
            for (const word of inMemory?.words ?? []) met.set(word, (met.get(word) ?? 0) + 1)
          }
          const [inMemory, inRedis] = await Promise.all(sides.map((side) => side.everything()))
          expect(inRedis, 'at the end').toEqual(inMemory)
        } finally {
          await registry.close()
          await (await openInspector(client)).clear(prefix)
        }
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: process.env['AGREEMENT_SHRINK'] === undefined },
    )
    console.info(
      [...met]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([word, count]) => `${word} ${count}`)
        .join(', '),
    )
    // A history in which nothing happens agrees, too.
    for (const word of [
      'rotated',
      'reused',
      'stale',
      'gone',
      'user-limit',
      'client-limit',
      'offline-limit',
      'total-limit',
      'limit',
      'expired',
    ]) {
      if (RUNS >= 500) expect(met.get(word), word).toBeGreaterThan(0)
    }
  })
})
