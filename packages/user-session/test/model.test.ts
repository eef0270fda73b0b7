import { FakeClock, openInspector } from '@authstate/conformance'
import { createProviderRegistry } from '@authstate/registry'
import type { RealmSettings } from '@authstate/spi'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openForHistories } from '../../../tools/testing/redis-targets.js'
import { memoryUserSessions, type UserSessionProvider, userSessionSpi } from '../src/index.js'
import { commands, compare } from './model/commands.js'
import type { Model, Real } from './model/model.js'
import { openNode } from './support.js'

/** Runs of random commands, and how many each has at most. `MODEL_RUNS` and `MODEL_SEED` say otherwise. */
const RUNS = Number(process.env['MODEL_RUNS'] ?? 300)
const SEED = Number(process.env['MODEL_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const MAX_COMMANDS = 60

async function check(
  open: (
    clock: FakeClock,
    realms: Real['realms'],
  ) => Promise<{ provider: UserSessionProvider; close(): Promise<void> }>,
) {
  console.info(`seed ${SEED}, ${RUNS} runs`)
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: MAX_COMMANDS, size: 'max' }), async (run) => {
      const clock = new FakeClock()
      const realms = new Map<string, RealmSettings>()
      const { provider, close } = await open(clock, realms)
      const model: Model = { sessions: [], realms: new Map(), turns: 0 }
      const real = { provider, clock, realms }
      try {
        await fc.asyncModelRun(() => ({ model, real }), run)
        await compare(model, real)
      } finally {
        await close()
      }
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: false },
  )
}

describe('whatever is done in whatever order', () => {
  test('memory is as the model says', { timeout: 7_200_000 }, () =>
    check(async (clock, realms) => {
      const registry = createProviderRegistry({
        factories: [memoryUserSessions()],
        config: { spi: { 'user-session': { sweepIntervalMs: 0 } } },
        clock,
        realms: (realmId) => realms.get(realmId),
      })
      await registry.start()
      return { provider: registry.get(userSessionSpi), close: () => registry.close() }
    }),
  )

  describeWith(redis, 'Redis is as the model says', () => {
    const client = openForHistories()
    afterAll(() => client.disconnect())
    let run = 0

    test('and empty when all is over and swept', { timeout: 7_200_000 }, () =>
      check(async (clock, realms) => {
        const prefix = `model-${process.pid}-${run++}`
        const node = await openNode({ client, prefix, clock, realms: (realmId) => realms.get(realmId) })
        return {
          provider: node,
          close: async () => {
            clock.advance(400 * 86_400_000)
            await node.sweep()
            const inspector = await openInspector(client)
            const left = (await inspector.keys(prefix)).filter((key) => /:[uo][srubcik]:|:ux/.test(key))
            const clients = left.filter((key) => /:[uo]k:/.test(key))
            await inspector.clear(prefix)
            await node[Symbol.asyncDispose]()
            // The list of clients of a realm goes by its TTL: it names no session.
            expect(left.filter((key) => !clients.includes(key))).toEqual([])
          },
        }
      }),
    )
  })
})
