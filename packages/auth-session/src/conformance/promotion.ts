import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { AuthSessionProvider } from '../contract.js'
import { first, MINUTE_MS, ROUNDS, rootWith } from './fixture.js'

/** Handing a tab over, once. */
export function promotion({ basic, concurrency }: SuiteBuilder<AuthSessionProvider>): void {
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

  basic(
    'promote: hands over when the user was authenticated',
    'issue: fence, contract',
    async ({ provider, clock }) => {
      const { root, tabs } = await rootWith(provider, { clientId: 'c' }, { clientId: 'c' }, { clientId: 'c' })
      const [said, silent, restarted] = tabs.map(({ tabId }) => tabId) as [string, string, string]
      const createdAt = clock.now()
      clock.advance(MINUTE_MS)
      const authenticatedAt = clock.now()
      for (const tabId of [said, restarted]) {
        const tab = await provider.updateTab('r', root.id, tabId, { userId: 'u', authenticatedAt })
        assert.equal(tab?.authenticatedAt, authenticatedAt)
      }
      clock.advance(MINUTE_MS)
      await provider.updateTab('r', root.id, said, { authNotes: { otp: 'done' } })
      await provider.updateTab('r', root.id, silent, { userId: 'u' })
      const again = await provider.restartTab('r', root.id, restarted)
      assert.equal(again?.authenticatedAt, undefined)

      const promoted = await provider.promote('r', root.id, said)
      assert.equal(promoted?.authenticatedAt, authenticatedAt)
      assert.equal(promoted?.tab.authenticatedAt, authenticatedAt)
      assert.deepEqual(await provider.getTab('r', root.id, 'c', said), promoted?.tab)
      // Nothing in it was checked before it began.
      for (const tabId of [silent, restarted]) {
        const promoted = await provider.promote('r', root.id, tabId)
        assert.equal(promoted?.authenticatedAt, createdAt)
        assert.equal(promoted?.tab.authenticatedAt, undefined)
      }
      const added = await provider.addTab('r', root.id, { clientId: 'c', userId: 'u', authenticatedAt })
      const taken = await provider.updateTab('r', root.id, added?.tab.tabId ?? '', { authenticatedAt: null })
      assert.equal(added?.tab.authenticatedAt, authenticatedAt)
      assert.equal(taken?.authenticatedAt, undefined)
    },
  )

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
      for (let round = 0; round < ROUNDS; round++) {
        const { root, tabs } = await rootWith(provider, { clientId: 'c', userSessionNotes: { k: 'v' } })
        const answers = await together(8, (index) =>
          (nodes[index % 4] as AuthSessionProvider).promote('r', root.id, first(tabs).tabId),
        )
        const got = answers.filter((answer) => answer !== undefined)
        assert.equal(got.length, 1)
        assert.deepEqual(got[0]?.tab.userSessionNotes, { k: 'v' })
      }
    },
  )
}
