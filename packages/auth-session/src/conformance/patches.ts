import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { AuthSessionProvider } from '../contract.js'
import { first, LIFESPAN_MS, MINUTE_MS, ROUNDS, rootWith } from './fixture.js'

/** Changing a tab, and starting its flow again. */
export function patches({ basic, expiry, concurrency }: SuiteBuilder<AuthSessionProvider>): void {
  basic('updateTab: fields are set, replaced and removed', 'A8/104, §4.5', async ({ provider }) => {
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
      for (let round = 0; round < ROUNDS; round++) {
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
      for (let round = 0; round < ROUNDS; round++) {
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
}
