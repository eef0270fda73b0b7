import assert from 'node:assert/strict'
import { ProviderClosedError } from '@authstate/spi'
import { type Add, refuses } from './fixture.js'

export function misuse(add: Add): void {
  const strings = [undefined, null, 7, '', {}, ['k'], 'x'.repeat(513), 'lone \ud800'] as never[]

  add.basic('misuse: keys and names that are none', 'house rules', async ({ provider }) => {
    const region = provider.region<string>('realms')
    for (const wrong of strings) {
      await refuses('key', () => region.get(wrong, () => 'v'))
      await refuses('key', () => region.peek(wrong))
      await refuses('name', () => provider.region(wrong))
    }
    for (const wrong of [undefined, null, 7, '', ['', 'k'], [7]] as never[])
      await refuses('key', () => region.invalidate(wrong))
    for (const wrong of [undefined, 7, '', [7], [undefined]] as never[])
      await refuses('tag', () => region.invalidate({ tag: wrong }))
    assert.equal(region.stats().size, 0)
    assert.equal(region.stats().invalidations, 0)
  })

  add.basic('misuse: loaders and options of a read', 'house rules', async ({ provider }) => {
    const region = provider.region<string>('realms')
    for (const wrong of [undefined, null, 'v', {}] as never[])
      await refuses('load', () => region.get('k', wrong))
    const load = () => 'v'
    await refuses('options', () => region.get('k', load, 7 as never))
    await refuses('tags', () => region.get('k', load, { tags: 'one' as never }))
    await refuses('tags', () => region.get('k', load, { tags: [7] as never }))
    await refuses('tags', () => region.get('k', load, { tags: () => 7 as never }))
    await refuses('ttlMs', () => region.get('k', load, { ttlMs: Number.NaN }))
    await refuses('ttlMs', () => region.get('k', load, { ttlMs: () => '1' as never }))
    await refuses('isCurrent', () => region.get('k', load, { isCurrent: true as never }))
    assert.equal(region.stats().size, 0)
  })

  add.basic('misuse: options of a region', 'house rules', async ({ provider }) => {
    await refuses('options', () => provider.region('r', 7 as never))
    await refuses('options', () => provider.region('r', { maxEntires: 1 } as never))
    for (const [option, wrong] of [
      ['maxEntries', 0],
      ['maxEntries', 1.5],
      ['ttlMs', -1],
      ['jitter', 0.6],
      ['loadTimeoutMs', 0],
    ] as const) {
      await refuses(`options.${option}`, () => provider.region('r', { [option]: wrong }), RangeError)
    }
    for (const [option, wrong] of [
      ['maxEntries', Number.NaN],
      ['maxEntries', '9'],
      ['enabled', 'yes'],
      ['dependencies', 'realms'],
    ] as const) {
      await refuses(`options.${option}`, () => provider.region('r', { [option]: wrong } as never))
    }
    assert.deepEqual(provider.regions(), [])
    provider.region('r', { ttlMs: 10 })
    assert.equal(provider.region('r', { ttlMs: 10 }), provider.region('r'))
    await refuses('options', () => provider.region('r', { ttlMs: 11 }))
  })

  add.basic('misuse: listeners and units', 'house rules', async ({ provider }) => {
    await refuses('listener', () => provider.on(7 as never))
    await refuses('listener', () => provider.on('cleared', undefined as never))
    await refuses('event', () => provider.on('gone' as never, () => {}))
    await refuses('work', () => provider.inUnitOfWork(7 as never))
    const unit = provider.begin()
    await refuses('name', () => unit.region(''))
    await refuses('key', () => unit.region('r').invalidate(''))
    await refuses('key', () => unit.region('r').get('', () => 'v'))
  })

  add.basic(
    'close: what is used afterwards says so; closing twice is closing once',
    'house rules',
    async ({ provider }) => {
      const region = provider.region<string>('realms')
      await region.get('k', () => 'v')
      const unit = provider.begin()
      unit.region('realms').invalidate('k')
      await provider.close?.()
      await provider.close?.()
      await assert.rejects(
        region.get('k', () => 'v'),
        ProviderClosedError,
      )
      assert.throws(() => region.peek('k'), ProviderClosedError)
      await assert.rejects(region.invalidate('k'), ProviderClosedError)
      await assert.rejects(provider.clearAll(), ProviderClosedError)
      assert.throws(() => provider.region('realms'), ProviderClosedError)
      assert.throws(() => provider.begin(), ProviderClosedError)
      assert.throws(() => provider.regions(), ProviderClosedError)
      assert.throws(() => provider.on(() => {}), ProviderClosedError)
      await assert.rejects(
        region.refresh('k', () => 'v'),
        ProviderClosedError,
      )
      await assert.rejects(region.clear(), ProviderClosedError)
      assert.throws(() => region.stats(), ProviderClosedError)
      await assert.rejects(
        provider.inUnitOfWork(() => {}),
        ProviderClosedError,
      )
      assert.throws(() => unit.region('realms'), ProviderClosedError)
      await assert.rejects(unit.end(), ProviderClosedError)
    },
  )
}
