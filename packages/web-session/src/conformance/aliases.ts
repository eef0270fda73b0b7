import assert from 'node:assert/strict'
import type { SuiteBuilder } from '@authstate/conformance'
import type { WebSessionProvider } from '../contract.js'
import { LIFE_MS, outcomeOf, saved } from './fixture.js'

/** Another id by which a session is found. */
export function aliases(add: SuiteBuilder<WebSessionProvider>): void {
  const idOf = async (provider: WebSessionProvider, alias = 'x') => (await provider.find('r', alias))?.id

  add.basic('find: finds the session that bears the alias now', 'contract', async ({ provider, clock }) => {
    assert.equal(await idOf(provider), undefined)
    await saved(provider, 'old', { alias: 'x' })
    assert.equal(await idOf(provider), 'old')
    // The framework gives it another id.
    clock.advance(1)
    await provider.remove('r', 'old')
    assert.equal(await idOf(provider), undefined)
    await saved(provider, 'new', { alias: 'x' })
    assert.equal(await idOf(provider), 'new')
    assert.equal(await outcomeOf(provider, 'old', { alias: 'x' }), 'refused')
    assert.equal(await idOf(provider), 'new', 'a stale save does not turn it back')
    await saved(provider, 'new', { alias: 'y' })
    assert.deepEqual([await idOf(provider), await idOf(provider, 'y')], [undefined, 'new'])
    await saved(provider, 'new')
    assert.equal(await idOf(provider, 'y'), undefined)
  })

  add.basic(
    'find: of two that bear an alias the one created last',
    'contract',
    async ({ provider, clock }) => {
      await saved(provider, 'first', { alias: 'x' })
      clock.advance(1)
      await saved(provider, 'second', { alias: 'x' })
      clock.advance(1)
      await saved(provider, 'first', { alias: 'x' })
      assert.equal(await idOf(provider), 'second')
      await provider.remove('r', 'second')
      assert.equal(await idOf(provider), 'first')
    },
  )

  add.expiry(
    'find: as long as the session lives, also when that was prolonged',
    'contract',
    async ({ provider, clock }) => {
      await saved(provider, 's', { alias: 'x' })
      for (let touched = 0; touched < 4; touched++) {
        clock.advance(LIFE_MS - 1)
        assert.equal(await idOf(provider), 's')
        await provider.update('r', 's', { lifespanMs: LIFE_MS })
      }
      clock.advance(LIFE_MS)
      assert.equal(await idOf(provider), undefined)
    },
  )

  add.concurrency(
    'find: many ids after each other under one alias, the last is found',
    'contract',
    async ({ provider, anotherNode, clock }) => {
      const other = await anotherNode()
      await saved(provider, 's0', { alias: 'x' })
      for (let n = 1; n < 150; n++) {
        clock.advance(1)
        const [gone] = await Promise.all([
          other.remove('r', `s${n - 1}`),
          saved(provider, `s${n}`, { alias: 'x' }),
        ])
        assert.equal(gone, true)
      }
      assert.equal(await idOf(other), 's149')
    },
  )
}
