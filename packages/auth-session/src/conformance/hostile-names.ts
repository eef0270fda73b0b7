import assert from 'node:assert/strict'
import {
  hostileNames,
  hostileNotes,
  hostilePairs,
  refusesEndlessNames,
  type SuiteBuilder,
} from '@authstate/conformance'
import type { AuthSessionProvider } from '../contract.js'

/** Whatever realms, clients, users and notes are called. */
export function names(add: SuiteBuilder<AuthSessionProvider>): void {
  add.basic(
    'names: hostile ones go through every verb, and each keeps to itself',
    'issue',
    async ({ provider }) => {
      const roots = new Map<string, string>()
      for (const [realm, name] of hostilePairs) {
        const { id } = await provider.createRoot(realm)
        roots.set(realm, id)
        const maps = {
          clientNotes: hostileNotes(name),
          authNotes: hostileNotes(name),
        }
        const fields = {
          userId: name,
          action: name,
          protocol: name,
          clientScopes: [name],
          requiredActions: [name],
        }
        const added = await provider.addTab(realm, id, { clientId: name, ...fields, ...maps })
        const tabId = added?.tab.tabId ?? assert.fail('the root is gone')
        const held = await provider.getTab(realm, id, name, tabId)
        assert.equal(held?.userId, name)
        assert.deepEqual(held.clientScopes, [name])
        if (name !== '__proto__') assert.deepEqual(held.authNotes, hostileNotes(name))
        for (const other of hostileNames.filter((candidate) => candidate !== name)) {
          assert.equal(await provider.getTab(realm, id, other, tabId), undefined)
          assert.equal((await provider.getRoot(other, id)) !== undefined, other === realm)
        }
        const status = name === '__proto__' ? {} : { [name]: 'SUCCESS' as const }
        const patched = await provider.updateTab(realm, id, tabId, {
          executionStatus: status,
          authNotes: { more: name },
        })
        assert.deepEqual(patched?.authNotes, { ...hostileNotes(name), more: name })
        const json = JSON.parse(JSON.stringify(await provider.getRoot(realm, id))) as {
          tabs: Record<string, object>
        }
        assert.deepEqual(Object.keys(json.tabs), [tabId])
        assert.ok(await provider.touchRoot(realm, id))
        assert.equal((await provider.getOrCreateRoot(realm, id)).id, id)
        const promoted = await provider.promote(realm, id, tabId)
        assert.equal(promoted?.tab.userId, name)
        assert.ok(await provider.restartTab(realm, id, tabId))
        await provider.finishTab(realm, id, tabId)
        await provider.addTab(realm, id, { clientId: name })
      }
      for (const [realm] of hostilePairs) {
        const before = roots.get(realm) as string
        const held = await provider.getOrCreateRoot(realm, before)
        assert.ok(await provider.restartRoot(realm, held.id))
        assert.equal((await provider.removeByRealm(realm)) > 0, true)
        assert.equal(await provider.getRoot(realm, held.id), undefined)
      }
    },
  )

  add.basic('names: one of 10 kB is refused', 'issue', async ({ provider }) => {
    const { id } = await provider.createRoot('r')
    await refusesEndlessNames({
      realmId: (name) => provider.createRoot(name),
      clientId: (name) => provider.addTab('r', id, { clientId: name }),
      userId: (name) => provider.addTab('r', id, { clientId: 'a', userId: name }),
      authNotes: (name) => provider.addTab('r', id, { clientId: 'a', authNotes: { [name]: 'x' } }),
      clientScopes: (name) => provider.addTab('r', id, { clientId: 'a', clientScopes: [name] }),
    })
  })
}
