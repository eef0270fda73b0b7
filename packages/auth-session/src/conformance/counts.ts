import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { AuthSessionProvider } from '../contract.js'
import { first, LIFESPAN_MS, MINUTE_MS, rootWith } from './fixture.js'

/** How many logins are under way. */
export function counts({ basic, expiry, concurrency }: SuiteBuilder<AuthSessionProvider>): void {
  basic('count: living roots of one realm, whatever tabs they have', 'contract', async ({ provider }) => {
    assert.equal(await provider.count('r'), 0)
    const { root, tabs } = await rootWith(provider, { clientId: 'a' }, { clientId: 'b' })
    const empty = await provider.createRoot('r')
    await provider.createRoot('other')
    assert.equal(await provider.count('r'), 2)
    await provider.restartRoot('r', root.id)
    await provider.getOrCreateRoot('r', root.id)
    assert.equal(await provider.count('r'), 2)
    await provider.removeTab('r', root.id, first(tabs).tabId)
    await provider.removeRoot('r', empty.id)
    await provider.removeRoot('r', empty.id)
    assert.equal(await provider.count('r'), 1)
    const { root: another, tabs: last } = await rootWith(provider, { clientId: 'a' })
    assert.equal(await provider.count('r'), 2)
    await provider.finishTab('r', another.id, first(last).tabId)
    assert.equal(await provider.count('r'), 1)
    await provider.removeByRealm('r')
    assert.deepEqual([await provider.count('r'), await provider.count('other')], [0, 1])
  })

  expiry(
    'count: a root to its last millisecond, and not at its end',
    'contract',
    async ({ provider, clock }) => {
      await provider.createRoot('r')
      clock.advance(MINUTE_MS)
      const { id } = await provider.createRoot('r')
      clock.advance(LIFESPAN_MS - MINUTE_MS - 1)
      assert.equal(await provider.count('r'), 2)
      clock.advance(1)
      assert.equal(await provider.count('r'), 1)
      await provider.touchRoot('r', id)
      clock.advance(LIFESPAN_MS - 1)
      assert.equal(await provider.count('r'), 1)
      clock.advance(1)
      assert.equal(await provider.count('r'), 0)
    },
  )

  concurrency(
    'count: roots that N at once make on two nodes',
    'contract',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()] as const
      const roots = await together(40, (n) => (nodes[n % 2] ?? provider).createRoot('r'))
      for (const node of nodes) assert.equal(await node.count('r'), 40)
      await together(40, (n) => (nodes[(n + 1) % 2] ?? provider).removeRoot('r', roots[n]?.id ?? ''))
      for (const node of nodes) assert.equal(await node.count('r'), 0)
    },
  )
}
