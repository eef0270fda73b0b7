import assert from 'node:assert/strict'
import {
  hostileNames,
  hostileNotes,
  hostilePairs,
  refusesEndlessNames,
  type SuiteBuilder,
} from '@authstate/conformance'
import type { WebSessionProvider } from '../contract.js'
import { LIFE_MS, session } from './fixture.js'

/** Whatever realms, sessions, users, labels and aliases are called. */
export function names(add: SuiteBuilder<WebSessionProvider>): void {
  add.basic(
    'names: hostile ones go through every verb, and each keeps to itself',
    'issue',
    async ({ provider }) => {
      const labelsOf = (name: string) => (name === '__proto__' ? {} : { [name]: name })
      for (const [realm, name] of hostilePairs) {
        const fields = {
          userId: name,
          alias: name,
          generation: name,
          labels: labelsOf(name),
          data: hostileNotes(name),
        }
        assert.equal((await provider.save(realm, name, session(fields))).outcome, 'stored')
        assert.equal(await provider.update(realm, name, { set: { ...hostileNotes(name), more: name } }), 2)
        const held = await provider.get(realm, name)
        assert.deepEqual(held?.data, { ...hostileNotes(name), more: name })
        const { userId, alias, generation, labels } = held
        assert.deepEqual([userId, alias, generation, labels], [name, name, name, labelsOf(name)])
      }
      for (const [realm, name] of hostilePairs) {
        for (const other of hostileNames) {
          assert.equal((await provider.get(realm, other)) !== undefined, other === name)
          assert.equal((await provider.find(realm, other)) !== undefined, other === name)
          assert.equal((await provider.listByUser(realm, other)).items.length, Number(other === name))
        }
        assert.deepEqual(
          (await provider.list(realm)).items.map(({ id }) => id),
          [name],
        )
        if (name !== '__proto__')
          assert.equal((await provider.listByLabel(realm, name, name)).items.length, 1)
        assert.equal(await provider.removeByUser(realm, name), 1)
        assert.equal((await provider.save(realm, name, session({ generation: name }))).outcome, 'refused')
        assert.equal(
          (await provider.save(realm, name, session({ generation: `${name}`.slice(0, 511).concat('2') })))
            .outcome,
          'stored',
        )
        assert.equal(await provider.remove(realm, name), true)
        assert.equal(
          (await provider.save(realm, 'left', session({ labels: labelsOf(name) }))).outcome,
          'stored',
        )
      }
      for (const [realm] of hostilePairs) assert.equal(await provider.removeByRealm(realm), 1)
    },
  )

  add.basic(
    'names: ids of no character and of 100 000 bytes are refused, in whatever script',
    'issue: bad input',
    async ({ provider }) => {
      const calls = (id: string) => [
        () => provider.save('r', id, session()),
        () => provider.update('r', id, { lifespanMs: LIFE_MS }),
        () => provider.get('r', id),
        () => provider.remove('r', id),
      ]
      for (const id of [
        '',
        'x'.repeat(100_000),
        'ж'.repeat(50_000),
        '漢'.repeat(33_334),
        '🔑'.repeat(25_000),
        'א'.repeat(257),
      ]) {
        for (const call of calls(id)) {
          await assert.rejects(call, (error: Error) => {
            assert.ok(error instanceof TypeError, error.name)
            assert.match(error.message, /"id"/)
            assert.ok(error.message.length < 200)
            return true
          })
        }
      }
      for (const id of [
        'ж'.repeat(256),
        '漢字',
        'مرحبا',
        '🔑'.repeat(128),
        '__proto__',
        'e\u0301',
        '\u00e9',
      ]) {
        assert.equal((await provider.save('r', id, session({ data: { id } }))).outcome, 'stored')
        assert.deepEqual((await provider.get('r', id))?.data, { id })
      }
      assert.equal(await provider.count('r'), 7)
    },
  )

  add.basic('names: one of 10 kB is refused', 'issue', async ({ provider }) => {
    await refusesEndlessNames({
      realmId: (name) => provider.get(name, 's'),
      id: (name) => provider.get('r', name),
      userId: (name) => provider.save('r', 's', session({ userId: name })),
      alias: (name) => provider.find('r', name),
      generation: (name) => provider.save('r', 's', session({ generation: name })),
      labels: (name) => provider.save('r', 's', session({ labels: { [name]: 'x' } })),
      except: (name) => provider.removeByUser('r', 'u', { except: name }),
    })
    assert.equal(await provider.get('r', 's'), undefined)
  })
}
