import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { AuthSessionProvider } from '../contract.js'
import { LIFESPAN_MS, MINUTE_MS, NOTES_CEILING, ROUNDS, rootWith, STRANGER } from './fixture.js'

/** Roots, their life and their realm. */
export function roots({ basic, expiry, concurrency }: SuiteBuilder<AuthSessionProvider>): void {
  basic('createRoot: a root without tabs, under an id of its own', '§4.3', async ({ provider, clock }) => {
    const root = await provider.createRoot('r')
    assert.match(root.id, /^[\w-]{22}[0-9a-f]{2}$/)
    const now = clock.now()
    const life = { createdAt: now, updatedAt: now, expiresAt: now + LIFESPAN_MS }
    assert.deepEqual(root, { id: root.id, realmId: 'r', ...life })
    assert.deepEqual(await provider.getRoot('r', root.id), { ...root, tabs: new Map() })
    assert.notEqual((await provider.createRoot('r')).id, root.id)
  })

  basic('getRoot: nothing for an unknown id, whatever it looks like', '§4.3', async ({ provider }) => {
    for (const id of ['x', STRANGER, 'a:b{c}%d', '💥', `${STRANGER}\n`, '__proto__', `${'A'.repeat(22)}ff`]) {
      assert.equal(await provider.getRoot('r', id), undefined)
      assert.equal(await provider.removeRoot('r', id), false)
      assert.equal(await provider.restartRoot('r', id), undefined)
      assert.equal(await provider.touchRoot('r', id), undefined)
      assert.equal(await provider.addTab('r', id, { clientId: 'c' }), undefined)
    }
  })

  basic('getRoot: a root of another realm is unknown', '§1.4, §4.3', async ({ provider }) => {
    const root = await provider.createRoot('a')
    const added = await provider.addTab('a', root.id, { clientId: 'c' })
    const tabId = added?.tab.tabId ?? ''
    for (const realm of ['ab', 'A', 'a:', '{a}']) {
      assert.equal(await provider.getRoot(realm, root.id), undefined)
      assert.equal(await provider.getTab(realm, root.id, 'c', tabId), undefined)
      assert.equal(await provider.updateTab(realm, root.id, tabId, { action: 'x' }), undefined)
      assert.equal(await provider.promote(realm, root.id, tabId), undefined)
      assert.deepEqual(await provider.removeTab(realm, root.id, tabId), {
        removed: false,
        rootRemoved: false,
      })
      assert.deepEqual(await provider.finishTab(realm, root.id, tabId), {
        removed: false,
        rootRemoved: false,
      })
      assert.equal(await provider.removeRoot(realm, root.id), false)
    }
    assert.deepEqual(await provider.getRoot('a', root.id), {
      ...added?.root,
      tabs: new Map([[tabId, added?.tab]]),
    })
  })

  basic('getOrCreateRoot: the living root as it is', '§4.3', async ({ provider, clock }) => {
    const root = await provider.createRoot('r')
    await provider.addTab('r', root.id, { clientId: 'c' })
    const before = await provider.getRoot('r', root.id)
    clock.advance(MINUTE_MS)
    const found = await provider.getOrCreateRoot('r', root.id)
    assert.deepEqual({ ...found, tabs: before?.tabs }, before)
    assert.deepEqual(await provider.getRoot('r', root.id), before)
  })

  basic(
    'getOrCreateRoot: a root that is gone begins anew under its id',
    '§4.3',
    async ({ provider, clock }) => {
      const root = await provider.createRoot('r')
      await provider.addTab('r', root.id, { clientId: 'c' })
      await provider.removeRoot('r', root.id)
      clock.advance(1)
      const again = await provider.getOrCreateRoot('r', root.id)
      assert.equal(again.id, root.id)
      assert.equal(again.createdAt, clock.now())
      assert.equal((await provider.getRoot('r', root.id))?.tabs.size, 0)
    },
  )

  basic(
    'getOrCreateRoot: no id, or one nobody minted, gets a fresh one',
    '§4.3, §19.1',
    async ({ provider }) => {
      const foreign = [undefined, '', 'chosen-by-an-attacker', 'A'.repeat(24), 'a:b', '💥', 'x'.repeat(5000)]
      for (const id of foreign) {
        const root = await provider.getOrCreateRoot('r', id)
        assert.notEqual(root.id, id)
        assert.deepEqual(await provider.getRoot('r', root.id), { ...root, tabs: new Map() })
      }
    },
  )

  basic(
    'getOrCreateRoot, touchRoot, addTab: what they answer does not grow with the tabs',
    'issue: answers, contract',
    async ({ provider }) => {
      const note = 'x'.repeat(NOTES_CEILING / 2)
      const { id } = await provider.createRoot('r')
      const sizes = new Set<number>()
      for (let n = 0; n < 30; n++) {
        const added = await provider.addTab('r', id, { clientId: 'c', authNotes: { note } })
        const found = await provider.getOrCreateRoot('r', id)
        const touched = await provider.touchRoot('r', id)
        for (const root of [added?.root, found, touched]) {
          assert.deepEqual(Object.keys(root ?? {}).sort(), [
            'createdAt',
            'expiresAt',
            'id',
            'realmId',
            'updatedAt',
          ])
        }
        sizes.add(JSON.stringify([added, found, touched]).length)
      }
      assert.equal(sizes.size, 1)
      assert.equal((await provider.getRoot('r', id))?.tabs.size, 30)
    },
  )

  basic(
    'createRoot: a lifespan that is no whole number of milliseconds is refused by name',
    'issue: bad input',
    async ({ provider, setRealm }) => {
      for (const span of [0.5, Number.NaN]) {
        setRealm('r', {
          accessCodeLifespanLoginMs: span,
          accessCodeLifespanUserActionMs: span,
          accessCodeLifespanMs: span,
        })
        await assert.rejects(provider.createRoot('r'), (error: Error) => {
          assert.ok(error instanceof TypeError || error instanceof RangeError)
          assert.match(error.message, /"realms\(realmId\)\.accessCodeLifespan\w*Ms"/)
          return true
        })
      }
      setRealm('r', {
        accessCodeLifespanLoginMs: 1,
        accessCodeLifespanUserActionMs: 1,
        accessCodeLifespanMs: 1,
      })
      const { id, createdAt, expiresAt } = await provider.createRoot('r')
      assert.equal(expiresAt - createdAt, 1)
      assert.equal((await provider.getRoot('r', id))?.id, id)
      assert.equal(await provider.removeByRealm('r'), 1)
    },
  )

  concurrency(
    'getOrCreateRoot: calls with one id share one root',
    '§4.3',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      for (let round = 0; round < ROUNDS; round++) {
        const { id } = await provider.createRoot('r')
        await provider.removeRoot('r', id)
        const roots = await together(4, async (index) => {
          const node = nodes[index % 2] as AuthSessionProvider
          const root = await node.getOrCreateRoot('r', id)
          await node.addTab('r', root.id, { clientId: `c${index}` })
          return root
        })
        assert.deepEqual(new Set(roots.map((root) => root.id)), new Set([id]))
        assert.equal((await provider.getRoot('r', id))?.tabs.size, 4)
      }
    },
  )

  basic('restartRoot: tabs go, the id stays, life starts again', 'A8/105', async ({ provider, clock }) => {
    const root = await provider.createRoot('r')
    const added = await provider.addTab('r', root.id, {
      clientId: 'c',
      userId: 'u',
      authNotes: { n: 'v' },
      executionStatus: { e: 'SUCCESS' },
    })
    clock.advance(MINUTE_MS)
    const restarted = await provider.restartRoot('r', root.id)
    const life = { createdAt: root.createdAt, updatedAt: clock.now(), expiresAt: clock.now() + LIFESPAN_MS }
    assert.deepEqual(restarted, { id: root.id, realmId: 'r', ...life })
    assert.deepEqual(await provider.getRoot('r', root.id), { ...restarted, tabs: new Map() })
    assert.equal(await provider.getTab('r', root.id, 'c', added?.tab.tabId ?? ''), undefined)
  })

  basic('touchRoot: life is counted from the given instant', 'A8/104', async ({ provider, clock }) => {
    const root = await provider.createRoot('r')
    const { tab } = (await provider.addTab('r', root.id, { clientId: 'c' })) ?? assert.fail()
    const at = clock.now() + 1000
    const touched = await provider.touchRoot('r', root.id, at)
    assert.equal(touched?.updatedAt, at)
    assert.equal(touched?.expiresAt, at + LIFESPAN_MS)
    assert.deepEqual(await provider.getRoot('r', root.id), { ...touched, tabs: new Map([[tab.tabId, tab]]) })
    clock.advance(5000)
    assert.equal((await provider.touchRoot('r', root.id))?.updatedAt, clock.now())
  })

  expiry(
    'touchRoot: an instant that leaves no life removes the root',
    'B3, §19.37',
    async ({ provider, clock }) => {
      const nodes: string[] = []
      provider.on('removed', ({ rootId, reason }) => nodes.push(`${rootId} ${reason}`))
      const ended: string[] = []
      for (const late of [LIFESPAN_MS, LIFESPAN_MS + 1000]) {
        const root = await provider.createRoot('r')
        assert.equal(await provider.touchRoot('r', root.id, clock.now() - late), undefined)
        assert.equal(await provider.getRoot('r', root.id), undefined)
        assert.equal(await provider.addTab('r', root.id, { clientId: 'c' }), undefined)
        ended.push(`${root.id} removed`)
      }
      assert.deepEqual(nodes, ended)
      const root = await provider.createRoot('r')
      const at = clock.now() - LIFESPAN_MS + 1
      assert.equal((await provider.touchRoot('r', root.id, at))?.expiresAt, clock.now() + 1)
      clock.advance(1)
      assert.equal(await provider.getRoot('r', root.id), undefined)
    },
  )

  expiry(
    'getRoot: alive to the last millisecond, gone at the next',
    'A8/100, B3',
    async ({ provider, clock }) => {
      const root = await provider.createRoot('r')
      const { tab } = (await provider.addTab('r', root.id, { clientId: 'c' })) ?? assert.fail()
      clock.advance(LIFESPAN_MS - 1)
      assert.notEqual(await provider.getRoot('r', root.id), undefined)
      assert.notEqual(await provider.getTab('r', root.id, 'c', tab.tabId), undefined)
      clock.advance(1)
      assert.equal(await provider.getRoot('r', root.id), undefined)
      assert.equal(await provider.getTab('r', root.id, 'c', tab.tabId), undefined)
    },
  )

  expiry(
    'every verb: what has expired is gone and no update brings it back',
    '§1.6',
    async ({ provider, clock }) => {
      const unchanged = { removed: false, rootRemoved: false }
      const verbs: [answer: unknown, verb: (id: string, tabId: string) => Promise<unknown>][] = [
        [undefined, (id) => provider.addTab('r', id, { clientId: 'c' })],
        [undefined, (id, tabId) => provider.getTab('r', id, 'c', tabId)],
        [undefined, (id, tabId) => provider.updateTab('r', id, tabId, { action: 'x' })],
        [undefined, (id, tabId) => provider.restartTab('r', id, tabId)],
        [undefined, (id, tabId) => provider.promote('r', id, tabId)],
        [undefined, (id) => provider.touchRoot('r', id)],
        [undefined, (id) => provider.restartRoot('r', id)],
        [unchanged, (id, tabId) => provider.removeTab('r', id, tabId)],
        [unchanged, (id, tabId) => provider.finishTab('r', id, tabId)],
        [false, (id) => provider.removeRoot('r', id)],
        [0, () => provider.removeByRealm('r')],
      ]
      // Each first on a root of its own: a store may forget what has expired as soon as somebody asks for it.
      for (const [answer, verb] of verbs) {
        const { id } = await provider.createRoot('r')
        const { tabId } = ((await provider.addTab('r', id, { clientId: 'c' })) ?? assert.fail()).tab
        clock.advance(LIFESPAN_MS)
        assert.deepEqual(await verb(id, tabId), answer)
        assert.equal(await provider.getRoot('r', id), undefined)
        const anew = await provider.getOrCreateRoot('r', id)
        assert.deepEqual([anew.id, anew.createdAt], [id, clock.now()])
        assert.equal((await provider.getRoot('r', id))?.tabs.size, 0)
      }
    },
  )

  expiry('getRoot: looking does not extend a life', '§2.4', async ({ provider, clock }) => {
    const { id } = await provider.createRoot('r')
    const { tabId } = ((await provider.addTab('r', id, { clientId: 'c' })) ?? assert.fail()).tab
    const { expiresAt } = (await provider.getRoot('r', id)) ?? assert.fail()
    for (let look = 0; look < 3; look++) {
      clock.advance(MINUTE_MS)
      await provider.getTab('r', id, 'c', tabId)
      assert.equal((await provider.getOrCreateRoot('r', id)).expiresAt, expiresAt)
      assert.equal((await provider.getRoot('r', id))?.expiresAt, expiresAt)
    }
  })

  expiry(
    'lifespan: the longest of login, user action and code',
    'A8/106',
    async ({ provider, clock, setRealm }) => {
      const seconds = (code: number, action: number, login: number) =>
        setRealm('r', {
          accessCodeLifespanMs: code * 1000,
          accessCodeLifespanUserActionMs: action * 1000,
          accessCodeLifespanLoginMs: login * 1000,
        })
      const rounds: [lifespans: [number, number, number], alive: number, gone: number][] = [
        [[10, 10, 30], 25, 35],
        [[10, 40, 30], 35, 45],
        [[50, 40, 30], 45, 55],
      ]
      for (const [lifespans, alive, gone] of rounds) {
        seconds(...lifespans)
        const root = await provider.createRoot('r')
        clock.advance(alive * 1000)
        assert.notEqual(await provider.getRoot('r', root.id), undefined)
        clock.advance((gone - alive) * 1000)
        assert.equal(await provider.getRoot('r', root.id), undefined)
      }
    },
  )

  expiry(
    'lifespan: each write counts with what the realm says then',
    '§4.2',
    async ({ provider, clock, setRealm }) => {
      const { id } = await provider.createRoot('r')
      const { tabId } = ((await provider.addTab('r', id, { clientId: 'c' })) ?? assert.fail()).tab
      const { updatedAt } = (await provider.getRoot('r', id)) ?? assert.fail()
      clock.advance(MINUTE_MS)
      setRealm('r', { accessCodeLifespanLoginMs: 60 * MINUTE_MS })
      await provider.updateTab('r', id, tabId, { action: 'x' })
      const longer = await provider.getRoot('r', id)
      assert.deepEqual([longer?.updatedAt, longer?.expiresAt], [updatedAt, updatedAt + 60 * MINUTE_MS])
      clock.advance(30 * MINUTE_MS)
      setRealm('r', {})
      const heard: string[] = []
      provider.on('removed', ({ rootId, reason }) => heard.push(`${rootId} ${reason}`))
      assert.equal(await provider.updateTab('r', id, tabId, { action: 'y' }), undefined)
      assert.equal(await provider.getRoot('r', id), undefined)
      assert.deepEqual(heard, [`${id} removed`])
    },
  )

  basic('removeRoot: with its tabs, once', 'A8/99, A8/104', async ({ provider }) => {
    const root = await provider.createRoot('r')
    const { tab } = (await provider.addTab('r', root.id, { clientId: 'c' })) ?? assert.fail()
    assert.equal(await provider.removeRoot('r', root.id), true)
    assert.equal(await provider.removeRoot('r', root.id), false)
    assert.equal(await provider.getRoot('r', root.id), undefined)
    assert.equal(await provider.getTab('r', root.id, 'c', tab.tabId), undefined)
    assert.equal(await provider.updateTab('r', root.id, tab.tabId, { action: 'x' }), undefined)
    assert.equal(await provider.getRoot('r', root.id), undefined)
  })

  concurrency('removeRoot: of several calls one removes it', '§1.6', async ({ provider, anotherNode }) => {
    const nodes = [provider, await anotherNode()]
    for (let round = 0; round < ROUNDS; round++) {
      const { id } = await provider.createRoot('r')
      const answers = await together(4, (index) =>
        (nodes[index % 2] as AuthSessionProvider).removeRoot('r', id),
      )
      assert.deepEqual(answers.filter(Boolean).length, 1)
    }
  })

  basic(
    'removeByRealm: every root of the realm and no other',
    'A8/107',
    async ({ provider, anotherNode }) => {
      const roots = await Promise.all(Array.from({ length: 250 }, () => provider.createRoot('a')))
      await provider.addTab('a', roots[0]?.id ?? '', { clientId: 'c' })
      const others = await Promise.all(
        ['ab', 'A', 'a:b', '{a}', 'a%3a'].map((realm) => provider.createRoot(realm)),
      )
      assert.equal(await (await anotherNode()).removeByRealm('a'), 250)
      for (const { id } of roots) assert.equal(await provider.getRoot('a', id), undefined)
      for (const root of others) {
        assert.deepEqual(await provider.getRoot(root.realmId, root.id), { ...root, tabs: new Map() })
      }
      assert.equal(await provider.removeByRealm('a'), 0)
    },
  )

  basic(
    'removeByRealm: also roots whose life went on, by whatever verb',
    'A8/107, §19.30',
    async ({ provider, clock, setRealm }) => {
      const verbs: Readonly<Record<string, (rootId: string, tabId: string) => Promise<unknown>>> = {
        addTab: (rootId) => provider.addTab('r', rootId, { clientId: 'c' }),
        updateTab: (rootId, tabId) => provider.updateTab('r', rootId, tabId, { action: 'x' }),
        restartTab: (rootId, tabId) => provider.restartTab('r', rootId, tabId),
        removeTab: (rootId, tabId) => provider.removeTab('r', rootId, tabId),
        touchRoot: (rootId) => provider.touchRoot('r', rootId),
        restartRoot: (rootId) => provider.restartRoot('r', rootId),
      }
      for (const [verb, call] of Object.entries(verbs)) {
        setRealm('r', {})
        const { root, tabs } = await rootWith(provider, { clientId: 'c' }, { clientId: 'c' })
        clock.advance(LIFESPAN_MS - 1)
        if (verb === 'updateTab') setRealm('r', { accessCodeLifespanLoginMs: 2 * LIFESPAN_MS })
        await call(root.id, tabs[0]?.tabId ?? '')
        clock.advance(1)
        // Its first life is over; writes to the same index prune what is.
        for (let n = 0; n < 64; n++) await provider.removeRoot('r', (await provider.createRoot('r')).id)
        assert.equal(await provider.removeByRealm('r'), 1, verb)
        assert.equal(await provider.getRoot('r', root.id), undefined, verb)
      }
    },
  )
}
