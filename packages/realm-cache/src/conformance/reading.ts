import assert from 'node:assert/strict'
import { together } from '@authstate/conformance'
import { type Add, heldLoad, Source } from './fixture.js'

export function reading(add: Add): void {
  add.basic('get: asks the source once and then answers from here', '§15.1', async ({ provider }) => {
    const region = provider.region<string>('realms')
    const source = new Source()
    source.rows.set('r1', 'one')
    assert.equal(await source.read(region, 'r1'), 'one')
    assert.equal(await source.read(region, 'r1'), 'one')
    assert.equal(source.asked, 1)
    assert.equal(region.peek('r1'), 'one')
    const { size, hits, misses, loads, hitRate } = region.stats()
    assert.deepEqual(
      { size, hits, misses, loads, hitRate },
      { size: 1, hits: 2, misses: 1, loads: 1, hitRate: 2 / 3 },
    )
  })

  add.basic('get: the loader is told the key', '§15.2', async ({ provider }) => {
    const keys = ['r:{1}%', '😀', '__proto__', 'constructor', ' ']
    const region = provider.region<string>('odd')
    for (const key of keys)
      assert.equal(await region.get(key, (context) => `for ${context.key}`), `for ${key}`)
    for (const key of keys) assert.equal(region.peek(key), `for ${key}`)
  })

  add.basic('get: values are given out as they are, falsy ones too', '§15.2', async ({ provider }) => {
    const region = provider.region<unknown>('values')
    const object = { a: 1 }
    for (const [key, value] of [
      ['o', object],
      ['0', 0],
      ['f', false],
      ['e', ''],
    ] as const) {
      assert.equal(await region.get(key, () => value), value)
      assert.equal(await region.get(key, () => assert.fail('asked again')), value)
    }
  })

  add.basic('get: what the source does not have is not kept', '§15.2', async ({ provider }) => {
    const region = provider.region<string>('realms')
    const source = new Source()
    assert.equal(await source.read(region, 'r1'), undefined)
    assert.equal(await region.get('r1', () => null), undefined)
    source.rows.set('r1', 'created')
    assert.equal(await source.read(region, 'r1'), 'created')
  })

  add.basic(
    'refresh: loads though a value is kept, which answers until then and when it fails',
    '§16',
    async ({ provider }) => {
      const region = provider.region<string>('realms')
      await region.get('k', () => 'one')
      const held = heldLoad()
      const refreshing = [region.refresh('k', held.load), region.refresh('k', held.load)]
      await held.called
      assert.equal(await region.get('k', () => assert.fail('asked')), 'one')
      held.finish('two')
      assert.deepEqual(await Promise.all(refreshing), ['two', 'two'])
      assert.equal(held.calls, 1)
      assert.equal(region.peek('k'), 'two')
      await assert.rejects(
        region.refresh('k', () => Promise.reject(new Error('away'))),
        /away/,
      )
      assert.equal(region.peek('k'), 'two')
    },
  )

  add.basic('peek: undefined for what is not here, and nobody is asked', '§15.2', async ({ provider }) => {
    const region = provider.region<string>('realms')
    assert.equal(region.peek('r1'), undefined)
    assert.equal(region.stats().loads, 0)
  })

  add.basic('region: the same under one name, another under another', '§15.1', async ({ provider }) => {
    const users = provider.region<string>('users')
    assert.equal(provider.region('users'), users)
    await users.get('k', () => 'a user')
    assert.equal(provider.region('realms').peek('k'), undefined)
    assert.deepEqual([...provider.regions()].sort(), ['realms', 'users'])
  })

  add.basic('region: the least recently used value goes first', '§15.1', async ({ provider }) => {
    const region = provider.region<string>('small', { maxEntries: 2 })
    for (const key of ['a', 'b']) await region.get(key, () => key)
    region.peek('a')
    await region.get('c', () => 'c')
    assert.deepEqual([region.peek('a'), region.peek('b'), region.peek('c')], ['a', undefined, 'c'])
    const { size, evictions } = region.stats()
    assert.deepEqual({ size, evictions }, { size: 2, evictions: 1 })
  })

  add.basic(
    'region: not enabled, every call goes to the source and nothing is kept',
    '§9',
    async ({ provider }) => {
      const region = provider.region<string>('off', { enabled: false })
      const source = new Source()
      source.rows.set('k', 'one')
      assert.equal(region.enabled, false)
      await source.read(region, 'k')
      source.rows.set('k', 'two')
      assert.equal(await source.read(region, 'k'), 'two')
      assert.equal(region.peek('k'), undefined)
      const { size, bypasses } = region.stats()
      assert.deepEqual({ asked: source.asked, size, bypasses }, { asked: 2, size: 0, bypasses: 2 })
    },
  )

  add.basic('region: the configuration wins over what code asks for', '§9', async ({ withProperties }) => {
    const configured = await withProperties({
      regions: { realms: { enabled: false }, tiny: { maxEntries: 1 } },
    })
    assert.equal(configured.region('realms', { enabled: true }).enabled, false)
    const tiny = configured.region<string>('tiny', { maxEntries: 9 })
    for (const key of ['a', 'b']) await tiny.get(key, () => key)
    assert.equal(tiny.stats().size, 1)
  })

  add.concurrency(
    'get: callers that miss together share one load',
    '§15.2, A13/182',
    async ({ provider }) => {
      const region = provider.region<string>('realms')
      for (let round = 0; round < 50; round++) {
        const held = heldLoad()
        const answers = together(20, () => region.get(`k${round}`, held.load))
        held.finish('value')
        assert.deepEqual(new Set(await answers), new Set(['value']))
        assert.equal(held.calls, 1)
      }
    },
  )

  add.concurrency('get: different keys do not wait for each other', '§15.2', async ({ provider }) => {
    const region = provider.region<string>('realms')
    const slow = heldLoad()
    const waiting = region.get('slow', slow.load)
    assert.equal(await region.get('quick', () => 'quick'), 'quick')
    slow.finish('slow')
    assert.equal(await waiting, 'slow')
  })
}
