import assert from 'node:assert/strict'
import { together } from '@authstate/conformance'
import type { CacheRegion, RealmCacheProvider, RegionOptions } from '../contract.js'
import { type Add, eventually, heldLoad, nothingOld, refuses, Source } from './fixture.js'

const HOUR_MS = 3_600_000

/** A region that all nodes share; in a store of one process it is like any other. */
const sharedRegion = (node: RealmCacheProvider, options: RegionOptions = {}): CacheRegion<string> =>
  node.region<string>('shared', { secondLevelTtlMs: HOUR_MS, ...options })

/** Whether it finds `key`, which another asked for: they are one process, or have a second level between them. */
const finds = (region: CacheRegion, key = 'k'): boolean =>
  region.stats().secondLevel !== undefined || region.peek(key) !== undefined

/** Waits until what the source said is where the other nodes find it. */
const isThere = (region: CacheRegion, stored = 1) =>
  eventually(() => assert.equal(region.stats().secondLevel?.stored ?? stored, stored))

export function secondLevel(add: Add): void {
  add.cluster(
    'secondLevelTtlMs: what one node asked the source for, another finds, and so does one that comes later',
    'issue 6',
    async ({ provider, anotherNode }) => {
      const database = new Source()
      database.rows.set('k', 'v')
      const [first, second] = [sharedRegion(provider), sharedRegion(await anotherNode())]
      assert.equal(await database.read(first, 'k'), 'v')
      await isThere(first)
      const asked = finds(second) ? 1 : 3
      assert.equal(await database.read(second, 'k'), 'v')
      assert.equal(second.peek('k'), 'v')
      assert.equal(await database.read(sharedRegion(await anotherNode()), 'k'), 'v')
      assert.equal(database.asked, asked)
    },
  )

  add.cluster(
    'secondLevelTtlMs: what was declared untrue is found by nobody: keys, tags, clears, units of work',
    'issue 6, §15.2',
    async ({ provider, anotherNode }) => {
      const mine = sharedRegion(provider)
      const other = sharedRegion(await anotherNode())
      const database = new Source()
      const tags = ['tag:{a}', 'other tag']
      const ways: readonly (() => Promise<void>)[] = [
        () => mine.invalidate('k:{1}'),
        () => mine.invalidate({ tag: 'tag:{a}' }),
        () => mine.clear(),
        () => provider.clearAll(),
        () => provider.inUnitOfWork((unit) => unit.region('shared').invalidate('k:{1}')),
        () => provider.inUnitOfWork((unit) => unit.region('shared').invalidate({ tag: 'other tag' })),
        () => provider.inUnitOfWork((unit) => unit.region('shared').clear()),
      ]
      for (const [round, declare] of ways.entries()) {
        database.rows.set('k:{1}', `v${round}`)
        // Whoever asks first puts it there, and the other finds it.
        for (const region of round % 2 === 0 ? [mine, other] : [other, mine]) {
          await eventually(async () =>
            assert.equal(await database.read(region, 'k:{1}', { tags }), `v${round}`),
          )
        }
        database.rows.set('k:{1}', `v${round} changed`)
        await declare()
        assert.equal(await database.read(mine, 'k:{1}', { tags }), `v${round} changed`)
        assert.equal(
          await database.read(sharedRegion(await anotherNode()), 'k:{1}', { tags }),
          `v${round} changed`,
        )
        await eventually(async () =>
          assert.equal(await database.read(other, 'k:{1}', { tags }), `v${round} changed`),
        )
        database.rows.set('k:{1}', `v${round + 1}`)
        await mine.invalidate('k:{1}')
      }
    },
  )

  add.cluster(
    'secondLevelTtlMs: what a slow node read before an invalidation is not left there after it',
    'issue 6, §15.2',
    async ({ provider, anotherNode }) => {
      const mine = sharedRegion(provider)
      const slow = sharedRegion(await anotherNode())
      const tags = ['t']
      const empty = async () => {
        await mine.clear()
        await eventually(() => assert.equal(slow.peek('k'), undefined))
      }
      let offers = 0
      /** What it read was put there or refused. */
      const offered = async (region: CacheRegion) => {
        offers += 1
        await eventually(() => {
          const { stored, refused } = region.stats().secondLevel ?? { stored: offers, refused: 0 }
          assert.equal(stored + refused, offers)
        })
      }
      const ways = [() => mine.invalidate('k'), () => mine.invalidate({ tag: 't' }), () => mine.clear()]
      for (const [round, declare] of ways.entries()) {
        for (const isAnew of [false, true]) {
          // A refresh has a value in its way.
          if (!isAnew) await empty()
          const held = heldLoad()
          const answer = isAnew ? slow.refresh('k', held.load, { tags }) : slow.get('k', held.load, { tags })
          await held.called
          await declare()
          // Somebody else asks already, when the slow one is ready.
          const next = heldLoad()
          const asked = sharedRegion(await anotherNode()).get('k', next.load, { tags })
          if (slow.stats().secondLevel !== undefined) await Promise.race([next.called, asked])
          held.finish('old')
          assert.equal(await answer, 'old')
          await offered(slow)
          const later = sharedRegion(await anotherNode()).get('k', () => `new ${round}`, { tags })
          next.finish(`new ${round}`)
          assert.deepEqual(await Promise.all([asked, later]), [`new ${round}`, `new ${round}`])
          await eventually(async () =>
            assert.equal(await slow.get('k', () => `new ${round}`, { tags }), `new ${round}`),
          )
        }
      }
    },
  )

  add.concurrency(
    'secondLevelTtlMs: writers and readers on every node: in the end nobody has or finds an old value',
    'issue 6, §15.6',
    async ({ provider, anotherNode }) => {
      const regions = [provider, await anotherNode(), await anotherNode()].map((node) => sharedRegion(node))
      const database = new Source()
      const keys = Array.from({ length: 10 }, (_, n) => `k${n}`)
      const load = async ({ key }: { readonly key: string }) => {
        const row = database.rows.get(key)
        await new Promise((resolve) => setImmediate(resolve))
        return row
      }
      await together(12, async (worker) => {
        const region = regions[worker % regions.length] as CacheRegion<string>
        for (let turn = 0; turn < 60; turn++) {
          const key = keys[(worker * 7 + turn * 3) % keys.length] as string
          if (turn % 4 !== 0) await region.get(key, load, { tags: [`t${key}`] })
          else {
            database.rows.set(key, `${worker}.${turn}`)
            await region.invalidate(turn % 8 === 0 ? key : { tag: `t${key}` })
          }
        }
      })
      const later = sharedRegion(await anotherNode())
      for (const key of keys) assert.equal(await later.get(key, load), database.rows.get(key))
      await nothingOld(regions, keys, database)
    },
  )

  add.cluster(
    'secondLevelTtlMs with clusterSingleFlight: of all nodes that miss at once one asks the source, the others find it',
    'issue 6',
    async ({ provider, anotherNode }) => {
      const regions = [provider, await anotherNode()].map((node) =>
        sharedRegion(node, { clusterSingleFlight: true }),
      )
      const database = new Source()
      await regions[0]?.get('k', () => 'v')
      const askedEach = finds(regions[1] as CacheRegion) ? 1 : 2
      for (let round = 0; round < 10; round++) {
        database.rows.set(`k${round}`, 'v')
        const answers = await together(6, (index) =>
          database.read(regions[index % 2] as CacheRegion<string>, `k${round}`),
        )
        assert.deepEqual(new Set(answers), new Set(['v']))
        assert.equal(database.asked, (round + 1) * askedEach)
      }
    },
  )

  add.expiry(
    'secondLevelTtlMs: a value found there is no younger for it: ttlMs counts from the source',
    'issue 6',
    async ({ provider, anotherNode, clock }) => {
      const options = { ttlMs: 1_000, negativeTtlMs: 1_000 }
      const [mine, other] = [sharedRegion(provider, options), sharedRegion(await anotherNode(), options)]
      const database = new Source()
      database.rows.set('k', 'old')
      for (const key of ['k', 'absent']) await database.read(mine, key)
      await isThere(mine, 2)
      const found = finds(other)
      clock.advance(found ? 600 : 0)
      assert.equal(await database.read(other, 'k'), 'old')
      assert.equal(await database.read(other, 'absent'), undefined)
      assert.equal(database.asked, found ? 2 : 4)
      for (const key of ['k', 'absent']) database.rows.set(key, 'new')
      clock.advance(found ? 399 : 999)
      assert.equal(await database.read(other, 'k'), 'old')
      assert.equal(await database.read(other, 'absent'), undefined)
      clock.advance(1)
      for (const region of [other, mine]) {
        for (const key of ['k', 'absent']) assert.equal(await database.read(region, key), 'new')
      }
    },
  )

  add.cluster(
    'secondLevelTtlMs: refresh asks the source whatever is there, and leaves what it said',
    'issue 6',
    async ({ provider, anotherNode }) => {
      const mine = sharedRegion(provider)
      await mine.get('k', () => 'old')
      await isThere(mine)
      const other = sharedRegion(await anotherNode())
      assert.equal(await other.refresh('k', () => 'new'), 'new')
      await isThere(other)
      assert.equal(await other.get('k', () => 'newer'), 'new')
      const later = sharedRegion(await anotherNode())
      const expected = finds(later) ? 'new' : 'asked'
      assert.equal(await later.get('k', () => 'asked'), expected)
    },
  )

  add.cluster(
    'secondLevelTtlMs: isCurrent looks at what is found there, too',
    'issue 6, §15.3',
    async ({ provider, anotherNode }) => {
      const mine = sharedRegion(provider)
      await mine.get('k', () => 'with a member that is gone')
      await isThere(mine)
      const isCurrent = (value: string) => !value.includes('gone')
      const other = sharedRegion(await anotherNode())
      assert.equal(await other.get('k', () => 'without', { isCurrent }), 'without')
      await isThere(other)
      const later = sharedRegion(await anotherNode())
      const expected = finds(later) ? 'without' : 'asked'
      assert.equal(await later.get('k', () => 'asked'), expected)
    },
  )

  add.cluster(
    'secondLevelTtlMs: what JSON would change is never found changed',
    'issue 6',
    async ({ provider, anotherNode }) => {
      const loops: Record<string, unknown> = {}
      loops['self'] = loops
      const values: readonly unknown[] = [
        new Date(0),
        new Map([['a', 1]]),
        { at: new Date(0) },
        { absent: undefined },
        [1, undefined],
        Number.NaN,
        7n,
        () => 'v',
        new Error('no value'),
        Buffer.from('bytes'),
        loops,
        'x'.repeat(1_048_576),
      ]
      const options = { secondLevelTtlMs: HOUR_MS }
      const [mine, other] = [provider, await anotherNode()].map((node) => node.region('any', options))
      for (const [index, value] of values.entries()) {
        assert.equal(await mine?.get(`k${index}`, () => value), value)
        assert.equal(await other?.get(`k${index}`, () => value), value)
      }
      for (const value of ['text', 7, true, [1, [2]], { a: { b: null } }, 'x'.repeat(1_048_574)]) {
        const key = JSON.stringify(value).slice(0, 20)
        await mine?.get(key, () => value)
        assert.deepEqual(await other?.get(key, () => value), value)
      }
    },
  )

  add.basic('misuse: secondLevelTtlMs', 'house rules', async ({ provider }) => {
    for (const wrong of [-1, 0.5, 24 * HOUR_MS + 1]) {
      await refuses(
        'options.secondLevelTtlMs',
        () => provider.region('r', { secondLevelTtlMs: wrong }),
        RangeError,
      )
    }
    for (const wrong of [true, null, 'soon', {}] as never[]) {
      await refuses('options.secondLevelTtlMs', () => provider.region('r', { secondLevelTtlMs: wrong }))
    }
    await refuses('options.secondLevelTtlMs', () =>
      provider.region('r', { secondLevelTtlMs: 1_000, dependencies: ['realms'] }),
    )
    assert.deepEqual(provider.regions(), [])
  })
}
