import { redisConnection, redisConnectionSpi } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { expect } from 'vitest'
import { Messages, type Plant, SiteNode } from '../../../../tools/testing/site-walk.js'
import { type LoginFailureProvider, loginFailureSpi } from '../../src/index.js'
import { loginFailureJoiner } from '../../src/redis/joiner.js'
import { redisLoginFailures } from '../../src/redis.js'

const SITES = ['a', 'b', 'c'] as const
const USERS = ['alice', 'alice', 'bob']
const REALM = 'r'
const START = 1_700_000_000_000
const MINUTE_MS = 60_000

export const POLICY = { enabled: true, failureFactor: 5, waitIncrementMs: MINUTE_MS, quickLoginCheckMs: 0 }

/** A site that counts failures. */
export type FailureSite = SiteNode<LoginFailureProvider>

export const openSite = (client: Redis, name: string, now = START, plant?: Plant): Promise<FailureSite> =>
  SiteNode.open({
    client,
    name,
    now,
    plant,
    joiner: loginFailureJoiner,
    serve: async (redis, clock) => {
      const registry = createProviderRegistry({
        factories: [redisLoginFailures(), redisConnection()],
        config: { redis, spi: { 'login-failure': { provider: 'redis' } } },
        realms: () => ({ bruteForce: POLICY }),
        clock,
      })
      await registry.start()
      return {
        provider: registry.get(loginFailureSpi),
        connection: registry.get(redisConnectionSpi),
        close: () => registry.close(),
      }
    },
  })

/** A site as those know it who use it. */
type Acting = Pick<FailureSite, 'provider' | 'clock'>

export const failuresOf = ({ provider }: Acting): LoginFailureProvider => provider

/** What a walk has seen of a user. */
export interface Seen {
  counted: number
  /** Counted at the same site since the user was cleared anywhere, or 0 until somebody was. */
  isCleared: boolean
  lastFailureAt: number
}

type Op = 'failure' | 'second factor' | 'success' | 'clear'

/** What is done at a site. */
export const acts = fc.record({
  op: fc.oneof(
    { weight: 8, arbitrary: fc.constant<Op>('failure') },
    { weight: 2, arbitrary: fc.constant<Op>('second factor') },
    { weight: 1, arbitrary: fc.constant<Op>('success') },
    { weight: 1, arbitrary: fc.constant<Op>('clear') },
  ),
  user: fc.constantFrom(...USERS),
  ip: fc.constantFrom(undefined, '203.0.113.7', '203.0.113.8'),
})

const step = fc.record({
  site: fc.nat(2),
  done: acts,
  waitMs: fc.constantFrom(0, 1, 7, 5_000, MINUTE_MS, 3 * MINUTE_MS),
  tells: fc.constantFrom(true, true, false),
  pushes: fc.constantFrom(false, false, false, false, true),
  arrive: fc.array(
    fc.record({
      which: fc.nat(1_000),
      twice: fc.constantFrom(false, false, false, true),
      lost: fc.constantFrom(false, false, false, false, true),
    }),
    { maxLength: 4 },
  ),
})

/** How far the clocks of the sites are apart, and what happens. */
export const walks = fc.record({
  skews: fc.tuple(...SITES.map(() => fc.integer({ min: -30_000, max: 30_000 }))),
  steps: fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }),
  order: fc.array(fc.nat(1_000), { minLength: 20, maxLength: 20, size: 'max' }),
})

/** Walks; throws where the sites do not hold the same at the end, or hold what they must not. */
export async function walk(
  client: Redis,
  { skews, steps, order }: typeof walks extends fc.Arbitrary<infer W> ? W : never,
  plant?: Plant,
): Promise<void> {
  const sites = await Promise.all(
    SITES.map((name, index) => openSite(client, name, START + (skews[index] ?? 0), plant)),
  )
  const messages = new Messages(sites, order)
  const seen = new Map<string, Seen>()
  try {
    for (const { site, done, waitMs, tells, pushes, arrive } of steps) {
      for (const { clock } of sites) clock.advance(waitMs)
      await act(sites[site] as FailureSite, done, seen)
      if (tells) await messages.tell(site)
      if (pushes) await messages.tellAll(site)
      for (const { which, twice, lost } of arrive) {
        if (lost) messages.lose(which)
        else await messages.arrive(which, twice)
      }
    }
    await messages.heal()
    await expectSame(sites, seen)
    // Who clears having heard of everything clears for all.
    await failuresOf(sites[0] as FailureSite).clear(REALM, 'alice')
    await messages.heal()
    for (const site of sites) {
      const record = await failuresOf(site).get(REALM, 'alice')
      expect(record, 'cleared, and stays so').toBeUndefined()
    }
  } finally {
    for (const site of sites) await site.close()
  }
}

export async function act(
  site: Acting,
  { op, user, ip }: typeof acts extends fc.Arbitrary<infer A> ? A : never,
  seen: Map<string, Seen>,
) {
  const failures = failuresOf(site)
  const of = seen.get(user) ?? { counted: 0, isCleared: false, lastFailureAt: 0 }
  seen.set(user, of)
  if (op === 'success' || op === 'clear') {
    of.isCleared = true
    if (op === 'clear') await failures.clear(REALM, user)
    else await failures.recordSuccess(REALM, user)
    return
  }
  const category = op === 'failure' ? 'password' : 'otp'
  const { counted } = await failures.recordFailure(REALM, user, { ip, category })
  if (!counted) return
  of.counted += 1
  of.lastFailureAt = Math.max(of.lastFailureAt, site.clock.now())
}

export async function expectSame(
  sites: readonly (Acting & Pick<FailureSite, 'tellAll' | 'sums'>)[],
  seen: ReadonlyMap<string, Seen>,
): Promise<void> {
  const latest = Math.max(...sites.map(({ clock }) => clock.now()))
  for (const { clock } of sites) clock.advance(latest - clock.now())
  const all = await Promise.all(sites.map(everything))
  for (const other of all.slice(1)) expect(other).toEqual(all[0])
  const failures = failuresOf(sites[0] as Acting)
  for (const [user, { counted, isCleared, lastFailureAt }] of seen) {
    if (isCleared) continue
    const record = await failures.get(REALM, user)
    expect(record?.numFailures ?? 0, 'no failure is lost, and none counts twice').toBe(counted)
    expect(record?.lastFailureAt ?? 0).toBe(lastFailureAt)
  }
}

/** All that it holds, by what a caller sees and by what other sites would be told. */
async function everything(site: Acting & Pick<FailureSite, 'tellAll' | 'sums'>) {
  const failures = failuresOf(site)
  const users = await Promise.all([...new Set(USERS)].map((user) => failures.get(REALM, user)))
  const { items } = await failures.listLocked(REALM, { limit: 10 })
  const told = (await site.tellAll())
    .map(({ name, state }) => [name, JSON.parse(state) as Record<string, unknown>] as const)
    .filter(([, { x }]) => Number(x) > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return { users, locked: items, told, sums: await site.sums() }
}
