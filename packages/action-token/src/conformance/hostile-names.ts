import assert from 'node:assert/strict'
import {
  hostileNames,
  hostileNotes,
  hostilePairs,
  refusesEndlessNames,
  type SuiteBuilder,
} from '@authstate/conformance'
import type { ActionTokenProvider } from '../contract.js'
import { LIFESPAN_MS, token } from './fixture.js'

/** Whatever realms, kinds, keys, families and subjects are called. */
export function names(add: SuiteBuilder<ActionTokenProvider>): void {
  add.basic(
    'names: hostile ones go through every verb, and each keeps to itself',
    'issue',
    async ({ provider }) => {
      const newToken = (name: string) => ({ ...token, family: name, subject: name, data: hostileNotes(name) })
      for (const [realm, name] of hostilePairs) {
        assert.equal(await provider.put(realm, name, name, newToken(name)), 'stored')
        assert.equal(await provider.putIfAbsent(realm, name, name, newToken(name)), false)
        assert.equal(await provider.putIfAbsent(realm, name, realm, newToken(realm)), true)
      }
      for (const [realm, name] of hostilePairs) {
        for (const other of hostileNames) {
          assert.equal(await provider.has(realm, name, other), other === name || other === realm)
          assert.equal(await provider.has(realm, other, name), other === name)
        }
        assert.deepEqual((await provider.get(realm, name, name))?.data, hostileNotes(name))
        assert.equal(await provider.replace(realm, name, name, { ...hostileNotes(name), a: '1' }), true)
        const options = { attempt: name, successor: name }
        const consumed = await provider.consume(realm, name, name, options)
        assert.deepEqual(consumed, {
          outcome: 'consumed',
          data: { ...hostileNotes(name), a: '1' },
          successor: name,
        })
        assert.deepEqual(await provider.consume(realm, name, name, options), consumed)
        assert.equal((await provider.consume(realm, name, name)).outcome, 'used')
        assert.equal(await provider.revokeFamily(realm, realm), 1)
        assert.equal(await provider.has(realm, name, realm), false)
        assert.equal(
          (await provider.listBySubject(realm, name, { kind: name, consumed: true })).items.length,
          1,
        )
        assert.equal(await provider.remove(realm, name, name), true)
        assert.equal((await provider.countUse(realm, name, name, { windowMs: 1 })).count, 1)
        assert.equal(await provider.put(realm, name, 'taken', newToken('of nobody')), 'stored')
        assert.deepEqual((await provider.take(realm, name, 'taken'))?.subject, 'of nobody')
        assert.equal(await provider.put(realm, name, 'left', { ...token, subject: name }), 'stored')
        assert.equal(await provider.removeBySubject(realm, name), 1)
        await provider.revoke(realm, name, { lifespanMs: LIFESPAN_MS })
        for (const other of hostileNames) assert.equal(await provider.isRevoked(realm, other), other === name)
        assert.equal(await provider.put(realm, name, 'last', token), 'stored')
      }
      for (const [realm] of hostilePairs) assert.equal(await provider.removeByRealm(realm), 1)
    },
  )

  add.basic('names: hostile ones are signed and come back', 'issue', async ({ provider }) => {
    for (const [realm, name] of hostilePairs) {
      const wanted = { ...token, userId: name, actionId: name, data: hostileNotes(name) }
      const signed = await provider.issueActionToken(realm, wanted)
      const looked = await provider.verifyActionToken(realm, signed, name)
      assert.ok(looked.outcome === 'valid')
      assert.equal(looked.token.userId, name)
      assert.deepEqual(looked.token.data, hostileNotes(name))
      assert.deepEqual(await provider.verifyActionToken(realm, signed, realm), { outcome: 'invalid' })
      assert.deepEqual(await provider.verifyActionToken(name, signed, name), { outcome: 'invalid' })
      assert.equal(
        (await provider.consumeActionToken(realm, signed, name, { attempt: name })).outcome,
        'valid',
      )
      assert.equal((await provider.consumeActionToken(realm, signed, name)).outcome, 'used')
    }
  })

  add.basic('names: one of 10 kB is refused', 'issue', async ({ provider }) => {
    await refusesEndlessNames({
      realmId: (name) => provider.put(name, 'kind', 'key', token),
      kind: (name) => provider.put('realm', name, 'key', token),
      key: (name) => provider.get('realm', 'kind', name),
      family: (name) => provider.put('realm', 'kind', 'key', { ...token, family: name }),
      subject: (name) => provider.removeBySubject('realm', name),
      tokenId: (name) => provider.isRevoked('realm', name),
    })
  })
}
