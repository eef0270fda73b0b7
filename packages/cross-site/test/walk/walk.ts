import { redisConnection, redisConnectionSpi, type SiteJoiner } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { type Plant, SiteNode } from '../../../../tools/testing/site-walk.js'
import { POLICY } from '../../../login-failure/test/sites/walk.js'
import { Network } from './network.js'
import { factories, type Services, spis, walked } from './services.js'

const SITES = ['a', 'b', 'c'] as const
const START = 1_700_000_000_000
const SECOND_MS = 1_000

const joinerOf = (name: string): SiteJoiner | undefined =>
  walked.map(({ joiner }) => joiner).find(({ owns }) => owns(name))

/** All services as one: a site tells of all its records. */
const joiner: SiteJoiner = {
  spi: 'all',
  kinds: walked.flatMap(({ joiner: { kinds } }) => kinds),
  owns: (name) => joinerOf(name) !== undefined,
  read: async (connection, record, terms) => joinerOf(record.name)?.read(connection, record, terms),
  join: (connection, record, state, terms) => {
    const known = joinerOf(record.name)
    if (known === undefined) throw new Error(`nobody joins ${record.name}`)
    return known.join(connection, record, state, terms)
  },
  async names(connection, partition) {
    const names: string[] = []
    for (const { joiner: of } of walked) {
      let page = await of.names(connection, partition, undefined, 3)
      names.push(...page.names)
      while (page.next !== undefined) {
        page = await of.names(connection, partition, page.next, 3)
        names.push(...page.names)
      }
    }
    return { names, next: undefined }
  },
}

const openSite = (client: Redis, name: string, now: number, plant: Plant | undefined) =>
  SiteNode.open<Services>({
    client,
    name,
    now,
    plant,
    joiner,
    serve: async (redis, clock) => {
      const registry = createProviderRegistry({
        factories: [...factories, redisConnection()],
        config: {
          redis,
          spi: {
            'user-session': { provider: 'redis', redis: { sweepIntervalMs: 0 } },
            'login-failure': { provider: 'redis' },
            'web-session': { provider: 'redis' },
            'action-token': { provider: 'redis' },
          },
        },
        realms: () => ({ bruteForce: POLICY }),
        clock,
      })
      await registry.start()
      const connection = registry.get(redisConnectionSpi)
      return {
        provider: {
          users: registry.get(spis.users),
          failures: registry.get(spis.failures),
          web: registry.get(spis.web),
          tokens: registry.get(spis.tokens),
          connection,
        },
        connection,
        close: () => registry.close(),
      }
    },
  })

const step = fc
  .record({
    site: fc.nat(2),
    act: fc.oneof(...walked.map(({ acts }) => acts)),
    waitMs: fc.constantFrom(0, 1, 1, 7, 400, 5 * SECOND_MS, 60 * SECOND_MS),
    tells: fc.constantFrom(true, true, false),
    event: fc.constantFrom(...Array.from({ length: 9 }, () => undefined), 'push', 'cut', 'cut', 'kill'),
    other: fc.nat(1),
    arrive: fc.array(
      fc.record({
        which: fc.nat(1_000),
        twice: fc.constantFrom(false, false, false, true),
        lost: fc.constantFrom(false, false, false, false, true),
      }),
      { maxLength: 4 },
    ),
  })
  .map((made) => ({
    ...made,
    toString: () => `${made.act.service}: ${made.act.name} at ${SITES[made.site]}, ${made.waitMs} ms`,
  }))

/** How far the clocks of the sites are apart, and what happens. */
export const walks = fc.record({
  skews: fc.tuple(...SITES.map(() => fc.integer({ min: -30 * SECOND_MS, max: 30 * SECOND_MS }))),
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
  const network = new Network(sites, order)
  const walking = new Map(walked.map((service) => [service.joiner.spi, service.walking(sites, SITES)]))
  try {
    for (const service of walking.values()) await service.begin()
    await network.heal()
    for (const { site, act, waitMs, tells, event, other, arrive } of steps) {
      for (const { clock } of sites) clock.advance(waitMs)
      await walking.get(act.service)?.act(act, site)
      if (tells) await network.tell(site)
      if (event === 'push') await network.push(site)
      if (event === 'kill') network.kill(site)
      if (event === 'cut') network.toggle(site, (site + 1 + other) % SITES.length)
      for (const { which, twice, lost } of arrive) {
        if (lost) network.lose(which)
        else await network.arrive(which, twice)
      }
    }
    await network.heal()
    for (const service of walking.values()) await service.expectSame()
    for (const service of walking.values()) await service.expectEnded(() => network.heal())
  } finally {
    for (const site of sites) await site.close()
  }
}
