import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { AuthSessionProvider, AuthSessionTab, NewAuthSessionTab, RootAuthSession } from '../contract.js'

const MINUTE_MS = 60_000
const LIFESPAN_MS = 30 * MINUTE_MS

/** A root of the realm `r` with tabs, in the order given. */
async function rootWith(
  provider: AuthSessionProvider,
  ...tabs: NewAuthSessionTab[]
): Promise<{ root: RootAuthSession; tabs: AuthSessionTab[] }> {
  let root = await provider.createRoot('r')
  const added: AuthSessionTab[] = []
  for (const tab of tabs) {
    const answer = (await provider.addTab('r', root.id, tab)) ?? assert.fail('the root is gone')
    root = answer.root
    added.push(answer.tab)
  }
  return { root, tabs: added }
}

const first = <T>(items: readonly T[]): T => items[0] ?? assert.fail('nothing there')

export function defineTabCases({ basic, expiry, concurrency }: SuiteBuilder<AuthSessionProvider>): void {
  basic('addTab: what was given, the rest empty', '§4.1, §4.4', async ({ provider, clock }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'c' })
    const tab = first(tabs)
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
    assert.deepEqual([...root.tabs], [[tab.tabId, tab]])
    assert.deepEqual(await provider.getRoot('r', root.id), root)
    assert.deepEqual(await provider.getTab('r', root.id, 'c', tab.tabId), tab)
  })

  basic('addTab: every field comes back', '99, 104', async ({ provider }) => {
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

  basic('addTab: a full root loses its oldest tab', '98', async ({ provider, clock }) => {
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
    assert.deepEqual([...added.root.tabs.keys()], [...ids.slice(1), added.tab.tabId])
    assert.deepEqual(await provider.getRoot('r', id), added.root)
    assert.equal(await provider.getTab('r', id, 'c', first(ids)), undefined)
  })

  basic('addTab: of tabs of one instant the first added goes first', '98', async ({ withProperties }) => {
    const provider = await withProperties({ maxTabs: 3 })
    const { root, tabs } = await rootWith(provider, ...['a', 'b', 'c'].map((clientId) => ({ clientId })))
    for (const tab of tabs) {
      assert.equal((await provider.addTab('r', root.id, { clientId: 'd' }))?.evicted, tab.tabId)
    }
  })

  basic('addTab: the smallest instant goes, not the first added', '98', async ({ withProperties, clock }) => {
    const provider = await withProperties({ maxTabs: 2 })
    const { root } = await rootWith(provider, { clientId: 'first' })
    clock.advance(-1000)
    const earlier = (await provider.addTab('r', root.id, { clientId: 'earlier' })) ?? assert.fail()
    clock.advance(2000)
    assert.deepEqual((await provider.addTab('r', root.id, { clientId: 'c' }))?.evicted, earlier.tab.tabId)
  })

  basic('addTab: a limit of 0 or less is the default', '§4.4', async ({ withProperties }) => {
    const provider = await withProperties({ maxTabs: 0 })
    const { root } = await rootWith(provider, ...['a', 'b'].map((clientId) => ({ clientId })))
    assert.equal(root.tabs.size, 2)
  })

  concurrency('addTab: simultaneous tabs are all there', '101', async ({ provider, anotherNode }) => {
    const nodes = [provider, await anotherNode(), await anotherNode(), await anotherNode()]
    for (let round = 0; round < 50; round++) {
      const { id } = await provider.createRoot('r')
      const added = await together(4, (index) =>
        (nodes[index] as AuthSessionProvider).addTab('r', id, { clientId: `c${index}` }),
      )
      const root = await provider.getRoot('r', id)
      assert.equal(root?.tabs.size, 4)
      for (const [index, one] of added.entries()) {
        const tab = await provider.getTab('r', id, `c${index}`, one?.tab.tabId ?? '')
        assert.deepEqual(tab, one?.tab)
      }
    }
  })

  concurrency('addTab: the limit holds however many come at once', '98', async ({ withProperties }) => {
    const provider = await withProperties({ maxTabs: 3 })
    const another = await withProperties({ maxTabs: 3 })
    for (let round = 0; round < 50; round++) {
      const { id } = await provider.createRoot('r')
      const before = await Promise.all([1, 2, 3].map(() => provider.addTab('r', id, { clientId: 'old' })))
      const added = await together(6, (index) =>
        (index % 2 ? provider : another).addTab('r', id, { clientId: 'new' }),
      )
      const { tabs } = (await provider.getRoot('r', id)) ?? assert.fail()
      assert.equal(tabs.size, 3)
      const evicted = added.map((one) => one?.evicted)
      assert.equal(new Set(evicted).size, 6, 'each call names the tab it drove out')
      for (const old of before) assert.ok(evicted.includes(old?.tab.tabId))
    }
  })

  basic('getTab: only for its own client', '108, §4.4', async ({ provider }) => {
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

  basic('updateTab: fields are set, replaced and removed', '104, §4.5', async ({ provider }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'c', action: 'A', clientScopes: ['x'] })
    const { tabId } = first(tabs)
    const set = await provider.updateTab('r', root.id, tabId, {
      userId: 'u',
      action: 'B',
      redirectUri: 'https://app.example/',
      protocol: 'saml',
      clientScopes: ['y', 'z', 'y'],
      requiredActions: ['CONFIGURE_TOTP'],
    })
    assert.deepEqual(set, {
      ...first(tabs),
      userId: 'u',
      action: 'B',
      redirectUri: 'https://app.example/',
      protocol: 'saml',
      clientScopes: ['y', 'z'],
      requiredActions: ['CONFIGURE_TOTP'],
    })
    const removed = await provider.updateTab('r', root.id, tabId, {
      userId: null,
      action: null,
      redirectUri: null,
      protocol: null,
      clientScopes: [],
      requiredActions: null,
    })
    const { action: _, ...bare } = { ...first(tabs), clientScopes: [] }
    assert.deepEqual(removed, bare)
    assert.deepEqual(await provider.updateTab('r', root.id, tabId, {}), bare)
    assert.deepEqual(await provider.getTab('r', root.id, 'c', tabId), bare)
  })

  basic('updateTab: notes and statuses merge by name', '§4.5', async ({ provider }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'c', authNotes: { a: '1', b: '2' } })
    const { tabId } = first(tabs)
    await provider.updateTab('r', root.id, tabId, { authNotes: { b: null, c: '3' }, clientNotes: { x: 'y' } })
    await provider.updateTab('r', root.id, tabId, {
      executionStatus: { one: 'CHALLENGED', two: 'EVALUATED_FALSE' },
      userSessionNotes: { k: 'v' },
    })
    const tab = await provider.updateTab('r', root.id, tabId, {
      executionStatus: { one: 'SUCCESS', two: null, three: null },
    })
    assert.deepEqual(tab?.authNotes, { a: '1', c: '3' })
    assert.deepEqual(tab?.clientNotes, { x: 'y' })
    assert.deepEqual(tab?.userSessionNotes, { k: 'v' })
    assert.deepEqual(tab?.executionStatus, { one: 'SUCCESS' })
    const cleared = await provider.updateTab('r', root.id, tabId, { authNotes: null, executionStatus: null })
    assert.deepEqual(cleared, { ...tab, authNotes: {}, executionStatus: {} })
    const emptied = await provider.updateTab('r', root.id, tabId, { clientNotes: { x: null } })
    assert.deepEqual(emptied?.clientNotes, {})
    assert.deepEqual(await provider.getTab('r', root.id, 'c', tabId), emptied)
  })

  expiry('updateTab: does not extend the life of the root', '§4.2', async ({ provider, clock }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'c' })
    clock.advance(MINUTE_MS)
    await provider.updateTab('r', root.id, first(tabs).tabId, { action: 'x' })
    assert.equal((await provider.getRoot('r', root.id))?.expiresAt, root.expiresAt)
    clock.set(root.expiresAt)
    assert.equal(await provider.getRoot('r', root.id), undefined)
  })

  basic('updateTab: never creates', '§1.6', async ({ provider }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'c' }, { clientId: 'c' })
    assert.equal(await provider.updateTab('r', root.id, 'unknown', { action: 'x' }), undefined)
    await provider.removeTab('r', root.id, first(tabs).tabId)
    assert.equal(await provider.updateTab('r', root.id, first(tabs).tabId, { action: 'x' }), undefined)
    assert.deepEqual([...((await provider.getRoot('r', root.id))?.tabs.keys() ?? [])], [tabs[1]?.tabId])
  })

  concurrency(
    'updateTab: patches of one tab lose nothing of each other',
    '§4.5',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      for (let round = 0; round < 50; round++) {
        const { root, tabs } = await rootWith(provider, { clientId: 'c' })
        const { tabId } = first(tabs)
        const patches = [
          { userId: 'u' },
          { action: 'a' },
          { redirectUri: 'x' },
          { requiredActions: ['one'] },
          ...Array.from({ length: 8 }, (_, n) => ({ authNotes: { [`n${n}`]: `${n}` } })),
          ...Array.from({ length: 4 }, (_, n) => ({ executionStatus: { [`e${n}`]: 'SUCCESS' as const } })),
        ]
        await together(patches.length, (index) =>
          (nodes[index % 2] as AuthSessionProvider).updateTab('r', root.id, tabId, patches[index] ?? {}),
        )
        const tab = await provider.getTab('r', root.id, 'c', tabId)
        assert.deepEqual([tab?.userId, tab?.action, tab?.redirectUri], ['u', 'a', 'x'])
        assert.equal(Object.keys(tab?.authNotes ?? {}).length, 8)
        assert.equal(Object.keys(tab?.executionStatus ?? {}).length, 4)
        assert.deepEqual(tab?.requiredActions, ['one'])
      }
    },
  )

  concurrency(
    'updateTab: tabs of one root leave each other alone',
    '§4.5',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      for (let round = 0; round < 50; round++) {
        const { root, tabs } = await rootWith(
          provider,
          ...['a', 'b', 'c', 'd'].map((clientId) => ({ clientId })),
        )
        await together(8, (index) =>
          (nodes[index % 2] as AuthSessionProvider).updateTab('r', root.id, tabs[index % 4]?.tabId ?? '', {
            authNotes: { [`n${index}`]: 'v' },
          }),
        )
        const now = await provider.getRoot('r', root.id)
        for (const [index, tab] of [...(now?.tabs.values() ?? [])].entries()) {
          assert.deepEqual(tab.authNotes, { [`n${index}`]: 'v', [`n${index + 4}`]: 'v' })
        }
      }
    },
  )

  basic('restartTab: the flow goes, what the client asked for stays', '§4.5', async ({ provider, clock }) => {
    const { root, tabs } = await rootWith(provider, {
      clientId: 'c',
      userId: 'u',
      redirectUri: 'x',
      action: 'A',
      protocol: 'p',
      clientScopes: ['s'],
      requiredActions: ['q'],
      executionStatus: { e: 'SUCCESS' },
      clientNotes: { c: '1' },
      authNotes: { a: '1' },
      userSessionNotes: { u: '1' },
    })
    const { userId: _, action: __, ...kept } = first(tabs)
    clock.advance(MINUTE_MS)
    const restarted = await provider.restartTab('r', root.id, kept.tabId)
    assert.deepEqual(restarted, {
      ...kept,
      requiredActions: [],
      executionStatus: {},
      authNotes: {},
      userSessionNotes: {},
    })
    const after = await provider.getRoot('r', root.id)
    assert.deepEqual(after?.tabs.get(kept.tabId), restarted)
    assert.equal(after?.expiresAt, clock.now() + LIFESPAN_MS)
    assert.equal(await provider.restartTab('r', root.id, 'unknown'), undefined)
  })

  basic('removeTab: the root stays with the others and starts again', '99', async ({ provider, clock }) => {
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
  })

  basic('removeTab: the root goes with its last tab', '102, §4.4', async ({ provider }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'c' })
    const { tabId } = first(tabs)
    assert.deepEqual(await provider.removeTab('r', root.id, tabId), { removed: true, rootRemoved: true })
    assert.equal(await provider.getRoot('r', root.id), undefined)
    assert.deepEqual(await provider.removeTab('r', root.id, tabId), { removed: false, rootRemoved: false })
    const empty = await provider.createRoot('r')
    assert.deepEqual(await provider.removeTab('r', empty.id, tabId), { removed: false, rootRemoved: false })
    assert.deepEqual(await provider.getRoot('r', empty.id), empty)
  })

  concurrency('removeTab: the last of several removes the root', '102', async ({ provider, anotherNode }) => {
    const nodes = [provider, await anotherNode(), await anotherNode(), await anotherNode()]
    for (let round = 0; round < 50; round++) {
      const { root, tabs } = await rootWith(
        provider,
        ...['a', 'b', 'c', 'd'].map((clientId) => ({ clientId })),
      )
      const answers = await together(4, (index) =>
        (nodes[index] as AuthSessionProvider).removeTab('r', root.id, tabs[index]?.tabId ?? ''),
      )
      assert.deepEqual(answers.map((one) => one.rootRemoved).sort(), [false, false, false, true])
      for (const node of nodes) assert.equal(await node.getRoot('r', root.id), undefined)
    }
  })

  concurrency(
    'removeTab: a late write does not bring the root back',
    '102',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode()
      for (let round = 0; round < 50; round++) {
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

  basic('promote: hands over what the tab gathered, once', '§4.6, §19.1', async ({ provider, clock }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'c' })
    const { tabId } = first(tabs)
    await provider.updateTab('r', root.id, tabId, { userId: 'u', userSessionNotes: { k: 'v' } })
    const promoted = await provider.promote('r', root.id, tabId)
    assert.equal(promoted?.tab.userId, 'u')
    assert.deepEqual(promoted?.tab.userSessionNotes, { k: 'v' })
    assert.equal(promoted?.tab.promotedAt, clock.now())
    assert.equal(JSON.stringify(promoted).includes(root.id), false, 'the id of the root is not handed over')
    assert.equal(await provider.promote('r', root.id, tabId), undefined)
    assert.deepEqual(await provider.getTab('r', root.id, 'c', tabId), promoted?.tab)
    assert.equal(await provider.promote('r', root.id, 'unknown'), undefined)
  })

  basic('promote: nothing done to the tab makes it new', '§19.1', async ({ provider }) => {
    const { root, tabs } = await rootWith(provider, { clientId: 'c' }, { clientId: 'c' })
    const { tabId } = first(tabs)
    await provider.promote('r', root.id, tabId)
    await provider.updateTab('r', root.id, tabId, { userId: 'other' })
    await provider.restartTab('r', root.id, tabId)
    await provider.touchRoot('r', root.id)
    assert.equal(await provider.promote('r', root.id, tabId), undefined)
    assert.notEqual(await provider.promote('r', root.id, tabs[1]?.tabId ?? ''), undefined)
    await provider.finishTab('r', root.id, tabId)
    assert.equal(await provider.promote('r', root.id, tabId), undefined)
    await provider.restartRoot('r', root.id)
    assert.equal(await provider.promote('r', root.id, tabId), undefined)
  })

  concurrency(
    'promote: of simultaneous calls exactly one gets the tab',
    '§19.1',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode(), await anotherNode(), await anotherNode()]
      for (let round = 0; round < 50; round++) {
        const { root, tabs } = await rootWith(provider, { clientId: 'c', userSessionNotes: { k: 'v' } })
        const answers = await together(8, (index) =>
          (nodes[index % 4] as AuthSessionProvider).promote('r', root.id, first(tabs).tabId),
        )
        const got = answers.filter((one) => one !== undefined)
        assert.equal(got.length, 1)
        assert.deepEqual(got[0]?.tab.userSessionNotes, { k: 'v' })
      }
    },
  )
}
