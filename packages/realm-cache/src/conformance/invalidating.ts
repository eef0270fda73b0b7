import assert from 'node:assert/strict'
import { logsErrors } from '@authstate/conformance'
import { type Add, heldLoad, Source } from './fixture.js'

export function invalidating(add: Add): void {
  add.basic(
    'invalidate: the value is gone when the call returns, before it resolves',
    '§15.4',
    async ({ provider }) => {
      const region = provider.region<string>('realms')
      await region.get('k', () => 'old')
      await region.get('other', () => 'kept')
      const sending = region.invalidate('k')
      assert.equal(region.peek('k'), undefined)
      await sending
      assert.equal(region.peek('other'), 'kept')
      assert.equal(await region.get('k', () => 'new'), 'new')
      assert.equal(region.stats().invalidations, 1)
    },
  )

  add.basic('invalidate: many keys, and keys nobody has', '§15.4', async ({ provider }) => {
    const region = provider.region<string>('realms')
    for (const key of ['a', 'b', 'c']) await region.get(key, () => key)
    await region.invalidate(['a', 'c', 'nobody has it'])
    assert.deepEqual([region.peek('a'), region.peek('b'), region.peek('c')], [undefined, 'b', undefined])
    await region.invalidate([])
    assert.equal(region.peek('b'), 'b')
  })

  add.basic('invalidate: another region is untouched', '§15.4', async ({ provider }) => {
    await provider.region<string>('users').get('k', () => 'kept')
    await provider.region('realms').invalidate('k')
    assert.equal(provider.region('users').peek('k'), 'kept')
  })

  add.basic('invalidate: a tag takes everything that carries it', '§15.4', async ({ provider }) => {
    const region = provider.region<string>('realms')
    await region.get('composite', () => 'c', { tags: ['role:1', 'role:2'] })
    await region.get('group', () => 'g', { tags: (value) => [`of:${value}`, 'role:1'] })
    await region.get('other', () => 'o', { tags: ['role:2'] })
    await region.invalidate({ tag: 'role:1' })
    assert.deepEqual(
      ['composite', 'group', 'other'].map((key) => region.peek(key)),
      [undefined, undefined, 'o'],
    )
    await region.invalidate({ tag: ['role:2', 'unknown'], keys: ['x'] })
    assert.equal(region.peek('other'), undefined)
  })

  add.basic(
    'invalidate: a tag that a later value of the key does not carry',
    '§15.4',
    async ({ provider }) => {
      const region = provider.region<string>('realms')
      await region.get('k', () => 'one', { tags: ['a'] })
      await region.invalidate('k')
      await region.get('k', () => 'two', { tags: ['b'] })
      await region.invalidate({ tag: 'a' })
      assert.equal(region.peek('k'), 'two')
      await region.invalidate({ tag: 'b' })
      assert.equal(region.peek('k'), undefined)
    },
  )

  add.basic(
    'invalidate: tags and clears reach what depends on the region, keys do not',
    '§15.4',
    async ({ provider }) => {
      const realms = provider.region<string>('realms')
      const derived = provider.region<string>('derived', { dependencies: ['realms'] })
      const fill = async () => {
        await derived.get('k', () => 'by key')
        await derived.get('t', () => 'by tag', { tags: ['role:1'] })
      }
      await fill()
      await realms.invalidate('k')
      assert.equal(derived.peek('k'), 'by key')
      await realms.invalidate({ tag: 'role:1' })
      assert.deepEqual([derived.peek('k'), derived.peek('t')], ['by key', undefined])
      await realms.clear()
      assert.equal(derived.stats().size, 0)
    },
  )

  add.basic('clear and clearAll: one region, then every region', '§15.4', async ({ provider }) => {
    const [a, b] = [provider.region<string>('a'), provider.region<string>('b')]
    for (const region of [a, b]) await region.get('k', () => 'v')
    await a.clear()
    assert.deepEqual([a.peek('k'), b.peek('k')], [undefined, 'v'])
    await a.get('k', () => 'v')
    await provider.clearAll()
    assert.deepEqual([a.peek('k'), b.peek('k')], [undefined, undefined])
  })

  add.basic(
    'on: tells what was dropped; a listener that throws or rejects disturbs nobody',
    '§15.4',
    async ({ provider, logger }) => {
      const heard: unknown[] = []
      provider.on(() => {
        throw new Error('a listener that fails')
      })
      provider.on(async () => {
        throw new Error('an async listener that fails')
      })
      const cleared: string[] = []
      provider.on('cleared', ({ region, by }) => cleared.push(`${region} ${by}`))
      const all: string[] = []
      provider.on('*', ({ type }) => all.push(type))
      const stop = provider.on((event) => heard.push(event))
      const region = provider.region<string>('realms')
      await region.get('k', () => 'v', { tags: ['t'] })
      await region.invalidate({ tag: 't' })
      await region.clear()
      stop()
      await region.clear()
      assert.deepEqual(heard, [
        { type: 'invalidated', region: 'realms', by: 'this-node', entries: 1 },
        { type: 'cleared', region: 'realms', by: 'this-node' },
      ])
      assert.deepEqual(cleared, ['realms this-node', 'realms this-node'])
      assert.deepEqual(all, ['invalidated', 'cleared', 'cleared'])
      await logsErrors(logger, 2)
    },
  )

  for (const [what, name] of [
    ['its key', 'key'],
    ['one of its tags', 'tag'],
    ['the region', 'clear'],
    ['everything', 'clearAll'],
  ] as const) {
    add.concurrency(
      `get: a value read before an invalidation of ${what} is not kept`,
      '§15.2, B7, §15.6',
      async ({ provider }) => {
        const region = provider.region<string>('realms')
        const declare = {
          key: () => region.invalidate('k'),
          tag: () => region.invalidate({ tag: 't' }),
          clear: () => region.clear(),
          clearAll: () => provider.clearAll(),
        }
        for (let round = 0; round < 20; round++) {
          await region.invalidate('k')
          const slow = heldLoad()
          const before = region.get('k', slow.load, { tags: ['t'] })
          await slow.called
          await declare[name]()
          const after = region.get('k', () => 'new', { tags: ['t'] })
          // Nobody who comes later waits for what was overtaken.
          await after
          slow.finish('old')
          assert.equal(await before, 'old', 'who waited gets what was read')
          assert.equal(await after, 'new', 'who came later does not')
          assert.equal(region.peek('k') ?? 'new', 'new', 'and it is not kept')

          await region.invalidate('k')
          const alone = heldLoad()
          const only = region.get('k', alone.load, { tags: ['t'] })
          await alone.called
          await declare[name]()
          alone.finish('old')
          assert.equal(await only, 'old')
          assert.equal(region.peek('k'), undefined, 'nor where nobody came later')
        }
        assert.ok(region.stats().overtaken >= 40)
      },
    )
  }

  add.concurrency(
    'get: a slow reader never brings back an old truth',
    '§15.6, A13/178',
    async ({ provider }) => {
      const region = provider.region<string>('realms')
      const source = new Source()
      const tick = () => new Promise((resolve) => setImmediate(resolve))
      const load = async ({ key }: { readonly key: string }) => {
        const row = await source.load({ key })
        await tick()
        return row
      }
      for (let round = 0; round < 100; round++) {
        source.rows.set('k', `v${round}`)
        const readers = Array.from({ length: 4 }, () => region.get('k', load))
        if (round % 2 === 0) await tick()
        source.rows.set('k', `w${round}`)
        await region.invalidate('k')
        readers.push(region.get('k', load))
        await Promise.all(readers)
        assert.equal(await region.get('k', load), `w${round}`)
        await region.invalidate('k')
      }
    },
  )
}
