import assert from 'node:assert/strict'
import { type Add, eventually, Source } from './fixture.js'

export function life(add: Add): void {
  add.expiry(
    'ttlMs: alive to the last millisecond, gone at the end',
    '§15.2',
    async ({ provider, clock }) => {
      const region = provider.region<string>('short', { ttlMs: 1_000 })
      await region.get('k', () => 'old')
      clock.advance(999)
      assert.equal(region.peek('k'), 'old')
      assert.equal(await region.get('k', () => 'new'), 'old')
      clock.advance(1)
      assert.equal(region.peek('k'), undefined)
      assert.equal(await region.get('k', () => 'new'), 'new')
    },
  )

  add.expiry('ttlMs: reading does not prolong it', '§15.2', async ({ provider, clock }) => {
    const region = provider.region<string>('short', { ttlMs: 1_000 })
    await region.get('k', () => 'v')
    for (let n = 0; n < 4; n++) {
      clock.advance(250)
      region.peek('k')
    }
    assert.equal(region.peek('k'), undefined)
  })

  add.expiry(
    'get with ttlMs: below 0 no limit, above 0 that long, 0 not kept',
    '§15.2, B7',
    async ({ provider, clock }) => {
      const region = provider.region<string>('short', { ttlMs: 1_000 })
      const source = new Source()
      for (const key of ['ever', 'own', 'not', 'byValue']) source.rows.set(key, key)
      await source.read(region, 'ever', { ttlMs: -1 })
      await source.read(region, 'own', { ttlMs: 10 })
      await source.read(region, 'byValue', { ttlMs: (value) => value.length * 10 })
      await source.read(region, 'not', { ttlMs: 0 })
      assert.equal(region.peek('not'), undefined)
      clock.advance(10)
      assert.deepEqual([region.peek('own'), region.peek('byValue')], [undefined, 'byValue'])
      clock.advance(60)
      assert.equal(region.peek('byValue'), undefined)
      clock.advance(1_000_000)
      assert.equal(region.peek('ever'), 'ever')
    },
  )

  add.expiry(
    'maxIdleMs: every use prolongs it, nobody using it ends it',
    '§15.1',
    async ({ provider, clock }) => {
      const region = provider.region<string>('idle', { maxIdleMs: 1_000 })
      await region.get('k', () => 'v')
      for (let n = 0; n < 3; n++) {
        clock.advance(999)
        assert.equal(n % 2 === 0 ? region.peek('k') : await region.get('k', () => 'new'), 'v')
      }
      clock.advance(1_000)
      assert.equal(region.peek('k'), undefined)
    },
  )

  add.expiry('region keys: ends after an hour that nobody used it', '§15.1', async ({ provider, clock }) => {
    const region = provider.region<string>('keys')
    await region.get('k', () => 'v')
    clock.advance(3_599_999)
    assert.equal(region.peek('k'), 'v')
    clock.advance(3_600_000)
    assert.equal(region.peek('k'), undefined)
  })

  add.expiry(
    'negativeTtlMs: that there is nothing is remembered that long',
    '§15.2',
    async ({ provider, clock }) => {
      const region = provider.region<string>('roles', { negativeTtlMs: 1_000 })
      const source = new Source()
      for (let n = 0; n < 3; n++) assert.equal(await source.read(region, 'r'), undefined)
      assert.equal(source.asked, 1)
      clock.advance(1_000)
      source.rows.set('r', 'created')
      assert.equal(await source.read(region, 'r'), 'created')
    },
  )

  add.expiry('negativeTtlMs: an invalidation ends it at once', '§15.2', async ({ provider }) => {
    const region = provider.region<string>('roles', { negativeTtlMs: 1_000 })
    const source = new Source()
    await source.read(region, 'r', { tags: ['realm:1'] })
    source.rows.set('r', 'created')
    await region.invalidate({ tag: 'realm:1' })
    assert.equal(await source.read(region, 'r'), 'created')
  })

  add.expiry(
    'jitter: values end within the share, and not all at once',
    '§20',
    async ({ provider, clock }) => {
      const region = provider.region<string>('spread', { ttlMs: 1_000, jitter: 0.5 })
      const keys = Array.from({ length: 200 }, (_, n) => `k${n}`)
      for (const key of keys) await region.get(key, () => 'v')
      const alive = () => keys.filter((key) => region.peek(key) !== undefined).length
      clock.advance(499)
      assert.equal(alive(), 200)
      clock.advance(251)
      const half = alive()
      assert.ok(half > 40 && half < 160, `${half} of 200 live half-way through the share`)
      clock.advance(250)
      assert.equal(alive(), 0)
    },
  )

  add.expiry(
    'sweep: memory is given back without anybody reading',
    'A13/183',
    async ({ withProperties, clock }) => {
      const swept = await withProperties({ sweepEveryMs: 5 })
      const regions = [
        swept.region<string>('short', { ttlMs: 30_000 }),
        swept.region<string>('idle', { maxIdleMs: 30_000 }),
      ]
      for (const region of regions) await region.get('k', () => 'v')
      clock.advance(90_000)
      await eventually(() =>
        assert.deepEqual(
          regions.map((region) => region.stats().size),
          [0, 0],
        ),
      )
    },
  )

  add.expiry('stats: the age of the oldest value', '§15', async ({ provider, clock }) => {
    const region = provider.region<string>('realms')
    assert.equal(region.stats().oldestMs, 0)
    await region.get('a', () => 'v')
    clock.advance(40)
    await region.get('b', () => 'v')
    clock.advance(2)
    assert.equal(region.stats().oldestMs, 42)
  })

  add.basic(
    'isCurrent: a list whose member has gone is loaded again',
    '§15.3, A13/177, §19 row 28',
    async ({ provider }) => {
      const roles = new Map([
        ['1', 'admin'],
        ['2', 'user'],
      ])
      const region = provider.region<readonly string[]>('realms')
      const mappings = () =>
        region.get('scope:roles', () => [...roles.keys()], {
          isCurrent: (ids) => ids.every((id) => roles.has(id)),
        })
      assert.deepEqual(await mappings(), ['1', '2'])
      roles.delete('2')
      assert.deepEqual(await mappings(), ['1'])
      assert.equal(region.stats().loads, 2)
    },
  )
}
