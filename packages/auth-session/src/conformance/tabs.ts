import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { AuthSessionProvider, AuthSessionTab } from '../contract.js'
import { first, LIFESPAN_MS, MINUTE_MS, ROUNDS, rootWith } from './fixture.js'

/** Adding tabs, the limit, looking at them. */
export function tabs({ basic, concurrency }: SuiteBuilder<AuthSessionProvider>): void {
  basic('addTab: what was given, the rest empty', '§4.1, §4.4', async ({ provider, clock }) => {
    const { id } = await provider.createRoot('r')
    const { root, tab } = (await provider.addTab('r', id, { clientId: 'c' })) ?? assert.fail()
    assert.match(tab.tabId, /^[\w-]{11}$/)
    const empty = {
      clientScopes: [],
      requiredActions: [],
      executionStatus: {},
      clientNotes: {},
      authNotes: {},
      userSessionNotes: {},
    }
    assert.deepEqual(tab, { tabId: tab.tabId, clientId: 'c', createdAt: clock.now(), ...empty })
    assert.deepEqual(await provider.getRoot('r', root.id), { ...root, tabs: new Map([[tab.tabId, tab]]) })
    assert.deepEqual(await provider.getTab('r', root.id, 'c', tab.tabId), tab)
  })

  basic('addTab: every field comes back', 'A8/99, A8/104', async ({ provider }) => {
    const given = {
      clientId: 'a:b{c}%d 💥\nx',
      userId: 'u"\\\u0000\u2028',
      redirectUri: 'https://app.example/cb?x=1&y=é',
      action: 'AUTHENTICATE',
      protocol: 'openid-connect',
      clientScopes: ['email', 'profile'],
      requiredActions: ['VERIFY_EMAIL', '1'],
      executionStatus: { step: 'SUCCESS', constructor: 'CHALLENGED' },
      clientNotes: { scope: 'openid', '0': 'x', 'a/b': '/', toString: '' },
      authNotes: { '💥': '\u0001\u007f"\\/é', 'a b': '1e400' },
      userSessionNotes: { k: 'true' },
    } as const
    const { root, tabs } = await rootWith(provider, given)
    const { tabId, createdAt, ...rest } = first(tabs)
    assert.deepEqual(rest, given)
    assert.deepEqual(await provider.getTab('r', root.id, given.clientId, tabId), {
      tabId,
      createdAt,
      ...given,
    })
    const patched = await provider.updateTab('r', root.id, tabId, { authNotes: { more: '[]' } })
    assert.deepEqual(patched, { tabId, createdAt, ...given, authNotes: { ...given.authNotes, more: '[]' } })
    assert.deepEqual((await provider.getRoot('r', root.id))?.tabs.get(tabId), patched)
  })

  basic('addTab: starts the life of the root again', '§4.4', async ({ provider, clock }) => {
    const { root } = await rootWith(provider, { clientId: 'c' })
    clock.advance(MINUTE_MS)
    const added = await provider.addTab('r', root.id, { clientId: 'c' })
    assert.equal(added?.root.updatedAt, clock.now())
    assert.equal(added?.root.expiresAt, clock.now() + LIFESPAN_MS)
    assert.equal(added?.tab.createdAt, clock.now())
    assert.equal(added?.root.createdAt, root.createdAt)
  })

  basic('addTab: a full root loses its oldest tab', 'A8/98', async ({ provider, clock }) => {
    const { id } = await provider.createRoot('r')
    const ids: string[] = []
    for (let n = 0; n < 300; n++) {
      const added = (await provider.addTab('r', id, { clientId: 'c' })) ?? assert.fail()
      assert.equal('evicted' in added, false)
      ids.push(added.tab.tabId)
      clock.advance(1000)
    }
    const added = (await provider.addTab('r', id, { clientId: 'c' })) ?? assert.fail()
    assert.equal(added.evicted, ids[0])
    const { tabs, ...root } = (await provider.getRoot('r', id)) ?? assert.fail()
    assert.deepEqual([...tabs.keys()], [...ids.slice(1), added.tab.tabId])
    assert.deepEqual(root, added.root)
    assert.equal(await provider.getTab('r', id, 'c', first(ids)), undefined)
  })

  basic('addTab: of tabs of one instant the first added goes first', 'A8/98', async ({ withProperties }) => {
    const provider = await withProperties({ maxTabs: 3 })
    const { root, tabs } = await rootWith(provider, ...['a', 'b', 'c'].map((clientId) => ({ clientId })))
    for (const tab of tabs) {
      assert.equal((await provider.addTab('r', root.id, { clientId: 'd' }))?.evicted, tab.tabId)
    }
  })

  basic(
    'addTab: the smallest instant goes, not the first added',
    'A8/98',
    async ({ withProperties, clock }) => {
      const provider = await withProperties({ maxTabs: 2 })
      const { root } = await rootWith(provider, { clientId: 'first' })
      clock.advance(-1000)
      const earlier = (await provider.addTab('r', root.id, { clientId: 'earlier' })) ?? assert.fail()
      clock.advance(2000)
      assert.deepEqual((await provider.addTab('r', root.id, { clientId: 'c' }))?.evicted, earlier.tab.tabId)
    },
  )

  basic('addTab: a limit of 0 or less is the default', '§4.4', async ({ withProperties }) => {
    const provider = await withProperties({ maxTabs: 0 })
    const { root } = await rootWith(provider, ...['a', 'b'].map((clientId) => ({ clientId })))
    assert.equal(root.tabs.size, 2)
  })

  concurrency('addTab: simultaneous tabs are all there', 'A8/101', async ({ provider, anotherNode }) => {
    const nodes = [provider, await anotherNode(), await anotherNode(), await anotherNode()]
    for (let round = 0; round < ROUNDS; round++) {
      const { id } = await provider.createRoot('r')
      const added = await together(4, (index) =>
        (nodes[index] as AuthSessionProvider).addTab('r', id, { clientId: `c${index}` }),
      )
      const root = await provider.getRoot('r', id)
      assert.equal(root?.tabs.size, 4)
      for (const [index, item] of added.entries()) {
        const tab = await provider.getTab('r', id, `c${index}`, item?.tab.tabId ?? '')
        assert.deepEqual(tab, item?.tab)
      }
    }
  })

  concurrency('addTab: the limit holds however many come at once', 'A8/98', async ({ withProperties }) => {
    const provider = await withProperties({ maxTabs: 3 })
    const another = await withProperties({ maxTabs: 3 })
    for (let round = 0; round < ROUNDS; round++) {
      const { id } = await provider.createRoot('r')
      const before = await Promise.all([1, 2, 3].map(() => provider.addTab('r', id, { clientId: 'old' })))
      const added = await together(6, (index) =>
        (index % 2 ? provider : another).addTab('r', id, { clientId: 'new' }),
      )
      const { tabs } = (await provider.getRoot('r', id)) ?? assert.fail()
      assert.equal(tabs.size, 3)
      const evicted = added.map((answer) => answer?.evicted)
      assert.equal(new Set(evicted).size, 6, 'each call names the tab it drove out')
      for (const old of before) assert.ok(evicted.includes(old?.tab.tabId))
    }
  })

  basic('getTab: only for its own client', 'A8/108, §4.4', async ({ provider }) => {
    const { root, tabs } = await rootWith(
      provider,
      { clientId: 'a', clientNotes: { n: '1' } },
      { clientId: 'b', clientNotes: { n: '2' } },
    )
    const [a, b] = tabs as [AuthSessionTab, AuthSessionTab]
    assert.equal(await provider.getTab('r', root.id, 'b', a.tabId), undefined)
    assert.equal(await provider.getTab('r', root.id, 'a', 'unknown'), undefined)
    assert.deepEqual(await provider.removeTab('r', root.id, a.tabId), { removed: true, rootRemoved: false })
    assert.equal(await provider.getTab('r', root.id, 'a', a.tabId), undefined)
    assert.deepEqual(await provider.getTab('r', root.id, 'b', b.tabId), b)
  })
}
