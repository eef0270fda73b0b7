import assert from 'node:assert/strict'
import { hostileNames, hostilePairs, refusesEndlessNames, type SuiteBuilder } from '@authstate/conformance'
import type { LoginFailureProvider } from '../contract.js'
import { protect, usersLocked } from './fixture.js'

/** Whatever realms and users are called. */
export function names(add: SuiteBuilder<LoginFailureProvider>): void {
  add.basic('names: hostile ones go through every verb, and each keeps to itself', 'issue', async (stage) => {
    const { provider } = stage
    for (const realm of hostileNames) protect(stage, {}, realm)
    for (const [realm, name] of hostilePairs) {
      await provider.recordFailure(realm, name, { ip: '192.0.2.1' })
      await provider.recordUnknownUser(realm, { ip: '192.0.2.1' })
      assert.equal((await provider.get(realm, name))?.numFailures, 1)
      const guarded = await provider.guard(realm, name, { ip: '192.0.2.1' }, async () => false)
      assert.equal(guarded.outcome, 'failure')
    }
    for (const [realm, name] of hostilePairs) {
      for (const other of hostileNames) {
        assert.equal((await provider.check(realm, other)).locked, other === name)
        assert.equal(((await provider.get(realm, other))?.numFailures ?? 0) > 0, other === name)
      }
      assert.ok(await provider.status(realm, name))
      assert.ok(await provider.explain(realm, name))
      assert.deepEqual(await usersLocked(provider, realm), [name])
      assert.equal(await provider.clear(realm, name), true)
      assert.deepEqual(await usersLocked(provider, realm), [])
      assert.equal((await provider.check(realm, name)).locked, false)
      await provider.recordFailure(realm, name)
      await provider.recordSuccess(realm, name)
      await provider.recordFailure(realm, name)
      await provider.recompute(realm)
      assert.equal(await provider.removeByRealm(realm), 1)
      assert.equal(await provider.get(realm, name), undefined)
    }
  })

  add.basic('names: one of 10 kB is refused', 'issue', async ({ provider }) => {
    await refusesEndlessNames({
      realmId: (name) => provider.recordFailure(name, 'alice'),
      userId: (name) => provider.recordFailure('realm', name),
    })
  })
}
