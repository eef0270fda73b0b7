// Whose clock a guard goes by, and for how long it remembers. What it tells of one id is in helpers.test.ts.
import { FakeClock, openInspector } from '@authstate/conformance'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { describeWith, redis } from '../../../tools/testing/capabilities.js'
import { openRedis } from '../../../tools/testing/redis-targets.js'
import {
  type ActionTokenProvider,
  actionTokenSpi,
  createReplayGuard,
  memoryActionTokens,
} from '../src/index.js'
import { redisActionTokens } from '../src/redis.js'

const HOUR_MS = 3_600_000
const AHEAD_MS = 70_000

/** Opens nodes on one store, each with a clock. */
type Open = (clock: { now(): number }, properties?: object) => Promise<ActionTokenProvider>

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const item of opened.splice(0)) await item.close()
})

const inMemory: Open = async (clock, memory = {}) => {
  const config = { spi: { 'action-token': { memory } } }
  const registry = createProviderRegistry({ factories: [memoryActionTokens()], clock, config })
  opened.push(registry)
  await registry.start()
  return registry.get(actionTokenSpi)
}

/** What holds on every store. */
function cases(open: Open): void {
  const proof = (expiresAt: number, id = 'jti') => ({ maker: 'client', id, expiresAt })

  test('a guard without a clock of its own goes by that of the provider, whatever the host says', async () => {
    const clock = new FakeClock()
    const tokens = await open(clock)
    expect(tokens.clock).toBe(clock)
    const guard = createReplayGuard(tokens, { kind: 'dpop' })
    const expiresAt = clock.now() + 60_000
    expect(await guard.firstUse('realm', proof(expiresAt))).toBe('first')
    clock.advance(59_999)
    expect(await guard.firstUse('realm', proof(expiresAt))).toBe('replayed')
    clock.advance(1)
    expect(await guard.firstUse('realm', proof(expiresAt))).toBe('expired')
  })

  test.each([-AHEAD_MS, AHEAD_MS])(
    'a guard with a clock %d ms off that of the provider remembers an id to its end all the same',
    async (offMs) => {
      const clock = new FakeClock()
      const tokens = await open(clock)
      const off = createReplayGuard(tokens, { kind: 'dpop', clock: { now: () => clock.now() + offMs } })
      const guard = createReplayGuard(tokens, { kind: 'dpop' })
      const expiresAt = clock.now() + AHEAD_MS + 5_000
      expect(await off.firstUse('realm', proof(expiresAt))).toBe('first')
      clock.advance(AHEAD_MS + 4_999)
      expect(await guard.firstUse('realm', proof(expiresAt))).toBe('replayed')
    },
  )

  test('a guard remembers for as long as it accepts: more than the provider can is refused when it is made', async () => {
    const clock = new FakeClock()
    const tokens = await open(clock, { maxLifespanMs: HOUR_MS })
    expect(() => createReplayGuard(tokens, { kind: 'jar', maxLifespanMs: HOUR_MS + 1 })).toThrow(
      new RangeError(
        '"maxLifespanMs" must be at most 3600000, the "maxLifespanMs" of action-token, got 3600001',
      ),
    )
    const guard = createReplayGuard(tokens, { kind: 'jar', maxLifespanMs: HOUR_MS })
    const expiresAt = clock.now() + HOUR_MS
    expect(await guard.firstUse('realm', proof(expiresAt))).toBe('first')
    expect(await guard.firstUse('realm', proof(expiresAt + 1, 'later'))).toBe('too-long')
    clock.advance(HOUR_MS - 1)
    expect(await guard.firstUse('realm', proof(expiresAt))).toBe('replayed')
  })

  test('where the provider keeps nothing for an hour, a guard takes what it keeps', async () => {
    const clock = new FakeClock()
    const tokens = await open(clock, { maxLifespanMs: 5_000 })
    const guard = createReplayGuard(tokens, { kind: 'jar' })
    expect(await guard.firstUse('realm', proof(clock.now() + 5_001))).toBe('too-long')
    expect(await guard.firstUse('realm', proof(clock.now() + 1))).toBe('first')
    expect(await guard.firstUse('realm', proof(clock.now() + 1))).toBe('replayed')
  })
}

describe('a guard in memory', () => cases(inMemory))

describeWith(redis, 'a guard on Redis', () => {
  const client = openRedis()
  const prefix = `guard-${process.pid}`
  afterAll(() => client.disconnect())
  afterEach(async () => (await openInspector(client)).clear(prefix))

  const open: Open = async (clock, properties = {}) => {
    const registry = createProviderRegistry({
      factories: [redisActionTokens(), redisConnection()],
      config: {
        redis: { client, prefix },
        spi: { 'action-token': { provider: 'redis', redis: properties } },
      },
      clock,
    })
    opened.push(registry)
    await registry.start()
    return registry.get(actionTokenSpi)
  }
  cases(open)

  test('nodes whose clocks are apart by less than Redis keeps beyond the end: one first use', async () => {
    const clock = new FakeClock()
    const fast = createReplayGuard(await open({ now: () => clock.now() + 10_000 }), { kind: 'dpop' })
    const right = createReplayGuard(await open(clock), { kind: 'dpop' })
    const expiresAt = clock.now() + 60_000
    const use = { maker: 'client', id: 'jti', expiresAt }
    expect(await fast.firstUse('realm', use)).toBe('first')
    clock.advance(59_999)
    expect(await right.firstUse('realm', use)).toBe('replayed')
    // Redis counts in real time: the key is there for as long as the slower node can ask.
    const inspector = await openInspector(client)
    const [key = ''] = (await inspector.keys(prefix)).filter((item) => item.includes(':ao:'))
    expect((await inspector.read(key)).ttlMs).toBeGreaterThan(60_000)
  })
})
