import assert from 'node:assert/strict'
import { type Add, heldLoad, Source } from './fixture.js'

export function unitOfWork(add: Add): void {
  add.basic(
    'unit: what it touched is read from the source inside, and kept outside until it ends',
    '§15.3',
    async ({ provider }) => {
      const region = provider.region<string>('realms')
      await region.get('k', () => 'committed')
      const unit = provider.begin()
      const inside = unit.region<string>('realms')
      inside.invalidate('k')
      assert.equal(await inside.get('k', () => 'mine'), 'mine')
      assert.equal(await inside.get('k', () => 'mine again'), 'mine again', 'never kept')
      assert.equal(region.peek('k'), 'committed', 'others do not see it yet')
      await unit.end()
      assert.equal(region.peek('k'), undefined)
    },
  )

  add.basic('unit: touched tags and cleared regions are bypassed too', '§15.3', async ({ provider }) => {
    const region = provider.region<string>('realms')
    await region.get('roles', () => 'old list', { tags: ['realm:1:roles'] })
    const unit = provider.begin()
    const inside = unit.region<string>('realms')
    inside.invalidate({ tag: 'realm:1:roles' })
    assert.equal(await inside.get('roles', () => 'new list', { tags: ['realm:1:roles'] }), 'new list')
    assert.equal(region.peek('roles'), 'old list')
    inside.clear()
    await inside.get('anything', () => 'v')
    assert.equal(region.peek('anything'), undefined)
    await unit.end()
    assert.equal(region.peek('roles'), undefined)
  })

  add.basic('unit: what it did not touch comes from here and is kept here', '§15.3', async ({ provider }) => {
    const region = provider.region<string>('realms')
    await region.get('a', () => 'a')
    const inside = provider.begin().region<string>('realms')
    assert.equal(await inside.get('a', () => assert.fail('asked')), 'a')
    assert.equal(await inside.get('b', () => 'b'), 'b')
    assert.equal(region.peek('b'), 'b')
  })

  add.concurrency(
    'unit: what was declared untrue since it began is not kept: its snapshot may be older',
    '§15.2, B7',
    async ({ provider }) => {
      const region = provider.region<string>('realms')
      const unit = provider.begin()
      await region.invalidate('k')
      const inside = unit.region<string>('realms')
      assert.equal(await inside.get('k', () => 'from an old snapshot'), 'from an old snapshot')
      assert.equal(region.peek('k'), undefined)
      assert.equal(await inside.get('untouched', () => 'v'), 'v')
      assert.equal(region.peek('untouched'), 'v')
    },
  )

  add.concurrency('unit: nobody outside shares a load that a unit began', '§15.2', async ({ provider }) => {
    const region = provider.region<string>('realms')
    const unit = provider.begin()
    const mine = heldLoad()
    const inside = unit.region<string>('realms').get('k', mine.load)
    await mine.called
    assert.equal(await region.get('k', () => 'as committed'), 'as committed')
    mine.finish('as in the snapshot')
    assert.equal(await inside, 'as in the snapshot')
  })

  add.basic(
    'inUnitOfWork: what was collected is sent, whether the work returns or throws',
    '§15.4',
    async ({ provider }) => {
      const region = provider.region<string>('realms')
      for (const fails of [false, true]) {
        await region.get('k', () => 'old')
        const work = provider.inUnitOfWork((unit) => {
          unit.region('realms').invalidate('k')
          if (fails) throw new Error('rolled back')
          return 'result'
        })
        if (fails) await assert.rejects(work, /rolled back/)
        else assert.equal(await work, 'result')
        assert.equal(region.peek('k'), undefined)
      }
    },
  )

  add.basic('unit: it ends once, and with the block that uses it', '§15.4', async ({ provider }) => {
    const region = provider.region<string>('realms')
    const source = new Source()
    source.rows.set('k', 'v')
    {
      await using unit = provider.begin()
      unit.region('realms').invalidate('k')
      await unit.end()
      await source.read(region, 'k')
    }
    assert.equal(region.peek('k'), 'v', 'ending twice declares once')
  })
}
