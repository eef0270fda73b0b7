import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { ActionTokenProvider } from '../contract.js'
import { LIFESPAN_MS, token } from './fixture.js'

/** Removal by subject and by realm. */
export function subjectsAndRealms(add: SuiteBuilder<ActionTokenProvider>): void {
  add.basic('removeBySubject: what is about one user, and nothing else', 'contract', async ({ provider }) => {
    await provider.put('realm', 'action', 'a', { ...token, subject: 'alice' })
    await provider.put('realm', 'code', 'b', { ...token, subject: 'alice' })
    await provider.put('realm', 'action', 'c', { ...token, subject: 'alice2' })
    await provider.put('realm-2', 'action', 'a', { ...token, subject: 'alice' })
    assert.equal(await provider.removeBySubject('realm', 'alice'), 2)
    assert.equal(await provider.get('realm', 'action', 'a'), undefined)
    assert.equal((await provider.get('realm', 'action', 'c'))?.subject, 'alice2')
    assert.notEqual(await provider.get('realm-2', 'action', 'a'), undefined)
    assert.equal(await provider.put('realm', 'action', 'a', { ...token, subject: 'alice' }), 'stored')
  })

  add.basic(
    'removeBySubject: a token that is about somebody else now is not removed',
    'contract',
    async ({ provider }) => {
      await provider.put('realm', 'action', 'k', { ...token, subject: 'alice' })
      await provider.put('realm', 'action', 'k', { ...token, subject: 'bob' })
      assert.equal(await provider.removeBySubject('realm', 'alice'), 0)
      assert.equal((await provider.get('realm', 'action', 'k'))?.subject, 'bob')
      assert.equal(await provider.removeBySubject('realm', 'bob'), 1)
    },
  )

  add.basic(
    'removeByRealm: a token without family and subject, consumed or not',
    'A1/12, A7/88',
    async ({ provider }) => {
      const keys = Array.from({ length: 40 }, (_, n) => `k${n}`)
      for (const realmId of ['a', 'b']) {
        for (const key of keys) assert.equal(await provider.putIfAbsent(realmId, 'jti', key, token), true)
        for (const key of keys.slice(0, 20)) await provider.consume(realmId, 'jti', key)
      }
      assert.equal(await provider.removeByRealm('a'), 20)
      for (const key of keys) {
        assert.equal(await provider.get('a', 'jti', key), undefined)
        assert.deepEqual(await provider.consume('a', 'jti', key), { outcome: 'unknown' })
        assert.equal(await provider.putIfAbsent('a', 'jti', key, token), true)
        assert.equal((await provider.consume('a', 'jti', key)).outcome, 'consumed')
      }
      for (const [n, key] of keys.entries()) {
        assert.equal((await provider.consume('b', 'jti', key)).outcome, n < 20 ? 'used' : 'consumed')
      }
    },
  )

  add.basic(
    'removeByRealm: everything of one realm, and nothing of its neighbours',
    'A1/12, A7/88',
    async ({ provider }) => {
      const realms = ['a', 'ab', 'a:b']
      for (const realmId of realms) {
        await together(250, (n) =>
          provider.put(realmId, 'code', `k${n}`, { ...token, family: `f${n % 3}`, subject: 's' }),
        )
        await provider.consume(realmId, 'code', 'k0')
        await provider.revoke(realmId, 'token', LIFESPAN_MS)
        await provider.revokeFamily(realmId, 'gone')
      }
      assert.equal(await provider.removeByRealm('a'), 249)
      assert.equal(await provider.removeByRealm('a'), 0)
      assert.deepEqual(await provider.consume('a', 'code', 'k0'), { outcome: 'unknown' })
      assert.equal(await provider.isRevoked('a', 'token'), false)
      assert.equal(await provider.put('a', 'code', 'new', { ...token, family: 'gone' }), 'stored')
      for (const realmId of ['ab', 'a:b']) {
        assert.equal((await provider.consume(realmId, 'code', 'k1')).outcome, 'consumed')
        assert.equal(await provider.isRevoked(realmId, 'token'), true)
        assert.equal(await provider.put(realmId, 'code', 'new', { ...token, family: 'gone' }), 'refused')
      }
    },
  )
}
