import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { WebSessionProvider } from '../contract.js'
import { outcomeOf, ROUNDS, saved } from './fixture.js'

/** The end of one session, and of a realm's. */
export function removal(add: SuiteBuilder<WebSessionProvider>): void {
  add.concurrency('remove: of many callers one ends it', 'contract', async ({ provider, anotherNode }) => {
    const nodes = [provider, await anotherNode(), await anotherNode()]
    for (let round = 0; round < ROUNDS; round++) {
      await saved(provider, `s${round}`)
      const ended = await together(12, (n) => (nodes[n % 3] ?? provider).remove('r', `s${round}`))
      assert.equal(ended.filter(Boolean).length, 1)
    }
  })

  add.basic('remove: leaves nothing in any listing', 'peers 8', async ({ provider }) => {
    await saved(provider, 's', { userId: 'u', labels: { l: 'v' }, alias: 'x' })
    await provider.remove('r', 's')
    assert.equal(await provider.get('r', 's'), undefined)
    assert.equal(await provider.find('r', 'x'), undefined)
    assert.deepEqual(await provider.list('r'), { items: [] })
    assert.deepEqual(await provider.listByUser('r', 'u'), { items: [] })
    assert.deepEqual(await provider.listByLabel('r', 'l', 'v'), { items: [] })
    assert.equal(await provider.count('r'), 0)
    assert.equal(await provider.removeByUser('r', 'u'), 0)
  })

  add.basic(
    'removeByRealm: ends all of a realm, which can be used again',
    'contract',
    async ({ provider }) => {
      const all = Array.from({ length: 230 }, (_, n) => `s${n}`)
      await together(all.length, (n) =>
        saved(provider, all[n] as string, { userId: `u${n % 3}`, labels: { l: 'v' }, alias: `x${n}` }),
      )
      await saved(provider, 's1', {}, 'r2')
      assert.equal(await provider.removeByRealm('r'), all.length)
      assert.equal(await provider.removeByRealm('r'), 0)
      assert.equal(await provider.count('r'), 0)
      assert.deepEqual(await provider.list('r'), { items: [] })
      assert.deepEqual(await provider.listByUser('r', 'u1'), { items: [] })
      assert.equal(await provider.find('r', 'x1'), undefined)
      assert.equal(await provider.count('r2'), 1)
      assert.equal(await outcomeOf(provider, 's1'), 'refused')
      await saved(provider, 'next', { userId: 'u1' })
      assert.equal(await provider.count('r'), 1)
    },
  )
}
