import assert from 'node:assert/strict'
import { hostileNames, hostilePairs, refusesEndlessNames } from '@authstate/conformance'
import type { Add } from './fixture.js'

/** Whatever regions, keys and tags are called. */
export function names(add: Add): void {
  add.basic(
    'names: hostile ones go through every verb, and each keeps to itself',
    'issue',
    async ({ provider }) => {
      for (const [name, key] of hostilePairs) {
        const region = provider.region<string>(name)
        assert.equal(await region.get(key, () => `${name} ${key}`, { tags: [key] }), `${name} ${key}`)
        assert.equal(await region.get(name, () => 'other', { tags: [name] }), 'other')
      }
      for (const name of hostileNames) assert.ok(provider.regions().includes(name))
      for (const [name, key] of hostilePairs) {
        const region = provider.region<string>(name)
        for (const other of hostileNames) {
          const expected = other === key ? `${name} ${key}` : other === name ? 'other' : undefined
          assert.equal(region.peek(other), expected)
        }
        assert.equal(await region.refresh(key, () => 'anew', { tags: [key] }), 'anew')
        await region.invalidate({ tag: key })
        assert.equal(region.peek(key), undefined)
        assert.equal(region.peek(name), 'other')
        await region.invalidate(name)
        assert.equal(region.peek(name), undefined)
        await region.get(name, () => 'last')
        assert.equal(region.stats().size, 1)
        await region.clear()
        assert.equal(region.peek(name), undefined)
      }
    },
  )

  add.basic('names: one of 10 kB is refused', 'issue', async ({ provider }) => {
    const region = provider.region('users')
    await refusesEndlessNames({
      name: (name) => provider.region(name),
      key: (name) => region.get(name, () => 'x'),
      tags: (name) => region.get('k', () => 'x', { tags: [name] }),
      tag: (name) => region.invalidate({ tag: name }),
    })
  })
}
