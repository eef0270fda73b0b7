import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { AuthSessionProvider } from '../contract.js'
import { first, LIFESPAN_MS, MINUTE_MS, ROUNDS, rootWith } from './fixture.js'

/** Removing and finishing tabs, and the root with the last one. */
export function endings({ basic, expiry, concurrency }: SuiteBuilder<AuthSessionProvider>): void {
  basic(
    'removeTab: the root stays with the others and starts again',
    'A8/99',
    async ({ provider, clock }) => {
      const five = ['a', 'b', 'c', 'd', 'e'].map((clientId) => ({ clientId }))
      const { root, tabs } = await rootWith(provider, ...five)
      clock.advance(MINUTE_MS)
      for (const tab of tabs.slice(0, 2)) {
        assert.deepEqual(await provider.removeTab('r', root.id, tab.tabId), {
          removed: true,
          rootRemoved: false,
        })
      }
      const left = await provider.getRoot('r', root.id)
      assert.deepEqual([...(left?.tabs.values() ?? [])], tabs.slice(2))
      assert.equal(left?.updatedAt, clock.now())
      assert.equal(left?.expiresAt, clock.now() + LIFESPAN_MS)
      clock.advance(1)
      assert.deepEqual(await provider.removeTab('r', root.id, 'unknown'), {
        removed: false,
        rootRemoved: false,
      })
      assert.deepEqual(await provider.getRoot('r', root.id), left)
    },
  )

  basic('removeTab: the root goes with its last tab', 'A8/102, §4.4', async ({ provider }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'c' })
    const { tabId } = first(tabs)
    assert.deepEqual(await provider.removeTab('r', root.id, tabId), { removed: true, rootRemoved: true })
    assert.equal(await provider.getRoot('r', root.id), undefined)
    assert.deepEqual(await provider.removeTab('r', root.id, tabId), { removed: false, rootRemoved: false })
    const empty = await provider.createRoot('r')
    assert.deepEqual(await provider.removeTab('r', empty.id, tabId), { removed: false, rootRemoved: false })
    assert.deepEqual(await provider.getRoot('r', empty.id), { ...empty, tabs: new Map() })
  })

  concurrency(
    'removeTab: the last of several removes the root',
    'A8/102',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode(), await anotherNode(), await anotherNode()]
      for (let round = 0; round < ROUNDS; round++) {
        const { root, tabs } = await rootWith(
          provider,
          ...['a', 'b', 'c', 'd'].map((clientId) => ({ clientId })),
        )
        const answers = await together(4, (index) =>
          (nodes[index] as AuthSessionProvider).removeTab('r', root.id, tabs[index]?.tabId ?? ''),
        )
        assert.deepEqual(answers.map(({ rootRemoved }) => rootRemoved).sort(), [false, false, false, true])
        for (const node of nodes) assert.equal(await node.getRoot('r', root.id), undefined)
      }
    },
  )

  concurrency(
    'removeTab: a late write does not bring the root back',
    'A8/102',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode()
      for (let round = 0; round < ROUNDS; round++) {
        const { root, tabs } = await rootWith(provider, { clientId: 'c' })
        const { tabId } = first(tabs)
        await Promise.all([
          provider.removeTab('r', root.id, tabId),
          other.updateTab('r', root.id, tabId, { authNotes: { n: 'v' } }),
          other.restartTab('r', root.id, tabId),
          provider.promote('r', root.id, tabId),
          other.touchRoot('r', root.id),
        ])
        assert.equal(await provider.getRoot('r', root.id), undefined)
      }
    },
  )

  basic('finishTab: the root goes with its last tab', '§4.6', async ({ provider }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'c' })
    assert.deepEqual(await provider.finishTab('r', root.id, first(tabs).tabId), {
      removed: true,
      rootRemoved: true,
    })
    assert.equal(await provider.getRoot('r', root.id), undefined)
  })

  expiry('finishTab: the others have the code lifespan left', '§4.6, B3', async ({ provider, clock }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'a' }, { clientId: 'b' })
    clock.advance(MINUTE_MS)
    assert.deepEqual(await provider.finishTab('r', root.id, first(tabs).tabId), {
      removed: true,
      rootRemoved: false,
    })
    const left = await provider.getRoot('r', root.id)
    assert.equal(left?.updatedAt, clock.now() - LIFESPAN_MS + MINUTE_MS)
    assert.equal(left?.expiresAt, clock.now() + MINUTE_MS)
    assert.deepEqual([...(left?.tabs.keys() ?? [])], [tabs[1]?.tabId])
    clock.advance(MINUTE_MS - 1)
    await provider.updateTab('r', root.id, tabs[1]?.tabId ?? '', { action: 'x' })
    assert.notEqual(await provider.getRoot('r', root.id), undefined)
    clock.advance(1)
    assert.equal(await provider.getRoot('r', root.id), undefined)
  })

  basic('finishTab: the root goes where user sessions end sooner', '§4.6', async ({ provider, setRealm }) => {
    const short = MINUTE_MS
    const long = LIFESPAN_MS
    const cases: [idleMs: number, maxMs: number, goes: boolean][] = [
      [short, short, true],
      [short, long, false],
      [long, short, false],
      [long - 1, long - 1, true],
    ]
    for (const [ssoSessionIdleTimeoutMs, ssoSessionMaxLifespanMs, goes] of cases) {
      setRealm('r', { ssoSessionIdleTimeoutMs, ssoSessionMaxLifespanMs })
      const { root, tabs } = await rootWith(provider, { clientId: 'a' }, { clientId: 'b' })
      const answer = await provider.finishTab('r', root.id, first(tabs).tabId)
      assert.deepEqual(answer, { removed: true, rootRemoved: goes })
      assert.equal((await provider.getRoot('r', root.id)) === undefined, goes)
    }
  })

  basic('finishTab: a tab that is gone changes nothing', '§4.6', async ({ provider, clock }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'a' }, { clientId: 'b' })
    await provider.finishTab('r', root.id, first(tabs).tabId)
    const left = await provider.getRoot('r', root.id)
    clock.advance(1000)
    assert.deepEqual(await provider.finishTab('r', root.id, first(tabs).tabId), {
      removed: false,
      rootRemoved: false,
    })
    assert.deepEqual(await provider.getRoot('r', root.id), left)
  })
}
