import { redisConnection, redisConnectionSpi } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { expect } from 'vitest'
import { Messages, type Plant, SiteNode } from '../../../../tools/testing/site-walk.js'
import { type WebSessionProvider, webSessionSpi } from '../../src/index.js'
import { webSessionJoiner } from '../../src/redis/joiner.js'
import { redisWebSessions } from '../../src/redis.js'

const SITES = ['a', 'b', 'c'] as const
const START = 1_700_000_000_000
const HOUR_MS = 3_600_000
export const REALM = 'r'
const IDS = ['s1', 's2', 's1']
const USERS = ['alice', 'bob']
const NAMES = ['x', 'y', 'constructor']

/** A site that serves sessions of applications. */
export type WebSite = SiteNode<WebSessionProvider>

export const openSite = (client: Redis, name: string, now = START, plant?: Plant): Promise<WebSite> =>
  SiteNode.open({
    client,
    name,
    now,
    plant,
    joiner: webSessionJoiner,
    serve: async (redis, clock) => {
      const registry = createProviderRegistry({
        factories: [redisWebSessions(), redisConnection()],
        // One of them writes as the version before.
        config: {
          redis: { ...redis, layout: name === 'c' ? 1 : 2 },
          spi: { 'web-session': { provider: 'redis' } },
        },
        clock,
      })
      await registry.start()
      return {
        provider: registry.get(webSessionSpi),
        connection: registry.get(redisConnectionSpi),
        close: () => registry.close(),
      }
    },
  })

/** What a walk has seen, for what must hold at its end. */
export class Seen {
  /** Ids that were ended somewhere, in which generation. */
  readonly ended = new Set<string>()
  /** Ids that had more than one life: what becomes of them depends on which was later. */
  readonly renewed = new Set<string>()
  /** Names that each id was given at some site once, and that nobody took out. */
  readonly given = new Map<string, Set<string>>()
  number = 0

  next(): number {
    this.number += 1
    return this.number
  }
}

/** A site as those know it who use it. */
type Acting = Pick<WebSite, 'provider' | 'clock' | 'tellAll'>

type Op = (site: Acting, seen: Seen) => Promise<unknown>

const id = fc.constantFrom(...IDS)
const user = fc.constantFrom(undefined, undefined, ...USERS)
const lifespanMs = fc.constantFrom(HOUR_MS, HOUR_MS, 2 * HOUR_MS)
const generation = fc.constantFrom('', '', '', 'g')

/** What is done at a site, and how often. */
export const ops: readonly [weight: number, fc.Arbitrary<readonly [string, Op]>][] = [
  [
    4,
    fc
      .tuple(id, user, lifespanMs, generation, fc.boolean())
      .map(([of, userId, lifespanMs, generation, is]) => [
        'save',
        async ({ provider }, seen) => {
          const before = await provider.get(REALM, of)
          const more = is ? { alias: `alias-${seen.next() % 3}`, labels: { sid: `${seen.number % 2}` } } : {}
          const data = { x: seen.next() }
          const saved = await provider.save(REALM, of, { data, userId, lifespanMs, generation, ...more })
          if (saved.outcome === 'stored' && (before === undefined || before.generation !== generation))
            seen.renewed.add(of)
          if (saved.outcome === 'stored') seen.given.delete(of)
        },
      ]),
  ],
  [
    8,
    fc
      .tuple(id, fc.constantFrom(...NAMES), fc.boolean())
      .map(([of, name, isUnset]) => [
        isUnset ? 'unset' : 'set',
        ({ provider }, seen) =>
          provider.update(REALM, of, isUnset ? { unset: [name] } : { set: { [name]: seen.next() } }),
      ]),
  ],
  [
    4,
    id.map((of) => [
      'a name of its own',
      async ({ provider }, seen) => {
        const name = `own-${seen.next()}`
        if ((await provider.update(REALM, of, { set: { [name]: 1 } })) === undefined) return
        seen.given.set(of, (seen.given.get(of) ?? new Set()).add(name))
      },
    ]),
  ],
  [
    3,
    fc
      .tuple(id, fc.constantFrom(1, 2, 3))
      .map(([of, hours]) => [
        'touch',
        ({ provider }) => provider.update(REALM, of, { lifespanMs: hours * HOUR_MS }),
      ]),
  ],
  [
    2,
    fc
      .tuple(id, fc.constantFrom(null, ...USERS))
      .map(([of, userId]) => ['sign in or out', ({ provider }) => provider.update(REALM, of, { userId })]),
  ],
  [
    1,
    id.map((of) => [
      'remove',
      async ({ provider }, seen) => {
        const before = await provider.get(REALM, of)
        await provider.remove(REALM, of)
        seen.ended.add(`${of} ${before?.generation ?? ''}`)
        seen.renewed.add(of)
      },
    ]),
  ],
  [
    1,
    fc.tuple(fc.constantFrom(...USERS), fc.option(id, { nil: undefined })).map(([userId, except]) => [
      'remove by user',
      async ({ provider }, seen) => {
        await provider.removeByUser(REALM, userId, { except })
        for (const of of IDS) seen.renewed.add(of)
      },
    ]),
  ],
]

const step = fc.record({
  site: fc.nat(2),
  op: fc.oneof(...ops.map(([weight, arbitrary]) => ({ weight, arbitrary }))),
  waitMs: fc.constantFrom(0, 1, 7, 400, 5_000, 60_000),
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
  const seen = new Seen()
  try {
    await begin(sites[0] as WebSite)
    await messages.heal()
    for (const { site, op, waitMs, tells, pushes, arrive } of steps) {
      for (const { clock } of sites) clock.advance(waitMs)
      await op[1](sites[site] as WebSite, seen)
      if (tells) await messages.tell(site)
      if (pushes) await messages.tellAll(site)
      for (const { which, twice, lost } of arrive) {
        if (lost) messages.lose(which)
        else await messages.arrive(which, twice)
      }
    }
    await messages.heal()
    await expectSame(sites, seen)
    // Whoever ends all sessions of a user having heard of everything ends them everywhere.
    await sites[1]?.provider.removeByUser(REALM, 'alice')
    await messages.heal()
    for (const { provider } of sites)
      expect((await provider.listByUser(REALM, 'alice')).items, 'ended, and stays so').toEqual([])
  } finally {
    for (const site of sites) await site.close()
  }
}

export async function begin({ provider }: Acting): Promise<void> {
  for (const of of IDS)
    await provider.save(REALM, of, { data: { x: 0 }, lifespanMs: HOUR_MS, userId: 'alice' })
}

export async function expectSame(sites: readonly Acting[], seen: Seen): Promise<void> {
  const latest = Math.max(...sites.map(({ clock }) => clock.now()))
  for (const { clock } of sites) clock.advance(latest - clock.now())
  const all = await Promise.all(sites.map(everything))
  for (const other of all.slice(1)) expect(other).toEqual(all[0])
  const { provider } = sites[0] as Acting
  for (const of of new Set(IDS)) {
    const session = await provider.get(REALM, of)
    expect(seen.ended.has(`${of} ${session?.generation}`), 'an ended generation').toBe(false)
    if (seen.renewed.has(of)) continue
    for (const name of seen.given.get(of) ?? [])
      expect(session?.data, 'no name is lost').toHaveProperty([name], 1)
  }
}

/** All that it holds, by what a caller sees and by what other sites would be told. */
async function everything(site: Acting) {
  const { provider } = site
  const byId = (items: readonly { readonly id: string }[]) => items.map(({ id }) => id).sort()
  const told = (await site.tellAll())
    .filter(({ name, state }) => name.startsWith('wo:') && 'c' in JSON.parse(state))
    .map(({ name, state }) => [name, webSessionJoiner.about?.(state)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    sessions: await Promise.all(IDS.map((of) => provider.get(REALM, of))),
    ofUsers: await Promise.all(USERS.map(async (of) => byId((await provider.listByUser(REALM, of)).items))),
    ofLabels: await Promise.all(
      ['0', '1'].map(async (of) => byId((await provider.listByLabel(REALM, 'sid', of)).items)),
    ),
    byAlias: await Promise.all([0, 1, 2].map(async (of) => (await provider.find(REALM, `alias-${of}`))?.id)),
    count: await provider.count(REALM),
    told: told.map(([name, about]) => [name, about?.compared]),
  }
}
