import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { WebSessionPatch, WebSessionProvider } from '../contract.js'
import { dataOf, LIFE_MS, outcomeOf, ROUNDS, read, saved, session, TOMBSTONE_MS } from './fixture.js'

/** What is stored, and what is refused because it was ended. */
export function saving(add: SuiteBuilder<WebSessionProvider>): void {
  add.basic('save: the same comes back, to the last list', 'contract', async ({ provider, clock }) => {
    const data = {
      list: [],
      object: {},
      nothing: null,
      deep: [{ a: [[], {}, null, 0, -1.5, 1e21, true, ''] }],
      '': 'an empty name',
      'a:b%{c}"\\\n': 'ü\u0000\u2028🔑',
    }
    const labels = { sid: 's-1', client: 'app' }
    const outcome = await provider.save('r', 's', session({ data, labels, alias: 'uid', generation: 'g' }))
    assert.deepEqual(outcome, { outcome: 'stored', version: 1 })
    const now = clock.now()
    assert.deepEqual(await provider.get('r', 's'), {
      id: 's',
      data,
      labels,
      alias: 'uid',
      generation: 'g',
      createdAt: now,
      savedAt: now,
      expiresAt: now + LIFE_MS,
      version: 1,
    })
    await saved(provider, 'empty', { data: {} })
    const { data: empty, labels: none, generation } = await read(provider, 'empty')
    assert.deepEqual([empty, none, generation], [{}, {}, ''])
    assert.equal(await provider.get('r', 'other'), undefined)
    assert.equal(await provider.get('r2', 's'), undefined)
  })

  add.basic(
    'save: stores a session whole in place of what is there',
    'contract',
    async ({ provider, clock }) => {
      await saved(provider, 's', { data: { a: 1, b: 2 }, userId: 'u', labels: { sid: '1' }, alias: 'x' })
      const { createdAt } = await read(provider, 's')
      clock.advance(10)
      assert.deepEqual(await provider.save('r', 's', session({ data: { c: 3 } })), {
        outcome: 'stored',
        version: 2,
      })
      assert.deepEqual(await read(provider, 's'), {
        id: 's',
        data: { c: 3 },
        labels: {},
        generation: '',
        createdAt,
        savedAt: createdAt + 10,
        expiresAt: createdAt + 10 + LIFE_MS,
        version: 2,
      })
      await saved(provider, 's', { generation: 'next' })
      const { createdAt: again, version } = await read(provider, 's')
      assert.deepEqual([again, version], [createdAt + 10, 1])
    },
  )

  add.basic('save: of what was ended is refused, and stores nothing', 'peers 1', async ({ provider }) => {
    await saved(provider, 's')
    assert.equal(await provider.remove('r', 's'), true)
    assert.equal(await outcomeOf(provider, 's'), 'refused')
    assert.equal(await outcomeOf(provider, 's', { mustExist: true }), 'refused')
    assert.equal(await outcomeOf(provider, 's', { ifVersion: 1 }), 'refused')
    assert.equal(await provider.get('r', 's'), undefined)
    assert.equal(await provider.count('r'), 0)
    assert.deepEqual((await provider.list('r')).items, [])
    assert.equal((await provider.save('r2', 's', session())).outcome, 'stored')
  })

  add.basic('save: of what was ended before its first save is refused', 'peers 1', async ({ provider }) => {
    assert.equal(await provider.remove('r', 's'), false)
    assert.equal(await outcomeOf(provider, 's'), 'refused')
    assert.equal(await provider.remove('r', 't', { generation: 'g' }), false)
    assert.equal(await outcomeOf(provider, 't', { generation: 'g' }), 'refused')
    assert.equal(await outcomeOf(provider, 't', { generation: 'h' }), 'stored')
  })

  add.basic(
    'save: of what was ended is refused, also after updates that were under way',
    'peers 1',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode()
      await saved(provider, 's')
      const late = [
        provider.update('r', 's', { set: { a: 1 } }),
        other.remove('r', 's'),
        provider.update('r', 's', { lifespanMs: LIFE_MS }),
        other.update('r', 's', { set: { b: 1 }, userId: 'u' }),
      ]
      await Promise.all(late)
      assert.equal(await outcomeOf(provider, 's'), 'refused')
      assert.equal(await provider.get('r', 's'), undefined)
    },
  )

  add.concurrency(
    'save: at the same time as the end, never leaves the session alive',
    'peers 1',
    async ({ provider, anotherNode }) => {
      const other = await anotherNode()
      for (let round = 0; round < ROUNDS; round++) {
        const id = `s${round}`
        if (round % 3 > 0) await saved(provider, id)
        await Promise.all([
          provider.save('r', id, session()),
          other.remove('r', id),
          other.save('r', id, session({ data: { late: true } })),
        ])
        assert.equal(await provider.get('r', id), undefined)
      }
      assert.equal(await provider.count('r'), 0)
    },
  )

  add.expiry(
    'save: what was ended stays refused for its remaining life, and for tombstoneMs at least',
    'peers 1',
    async ({ provider, clock }) => {
      await saved(provider, 'short')
      await provider.save('r', 'long', { ...session(), lifespanMs: TOMBSTONE_MS + 5_000 })
      await provider.remove('r', 'short')
      await provider.remove('r', 'long')
      await provider.remove('r', 'never')
      clock.advance(TOMBSTONE_MS - 1)
      assert.equal(await outcomeOf(provider, 'short'), 'refused')
      assert.equal(await outcomeOf(provider, 'never'), 'refused')
      clock.advance(1)
      assert.equal(await outcomeOf(provider, 'short'), 'stored')
      assert.equal(await outcomeOf(provider, 'never'), 'stored')
      assert.equal(await outcomeOf(provider, 'long'), 'refused')
      clock.advance(4_999)
      assert.equal(await outcomeOf(provider, 'long'), 'refused')
      clock.advance(1)
      assert.equal(await outcomeOf(provider, 'long'), 'stored')
    },
  )

  add.basic(
    'generation: another one is stored over the mark of one that was ended, which stays refused',
    'contract',
    async ({ provider, clock }) => {
      await saved(provider, 's', { generation: 'a', data: { of: 'a' } })
      await provider.remove('r', 's')
      assert.equal(await outcomeOf(provider, 's', { generation: 'b', mustExist: true }), 'absent')
      await saved(provider, 's', { generation: 'b', data: { of: 'b' } })
      for (const again of ['a', 'a'])
        assert.equal(await outcomeOf(provider, 's', { generation: again }), 'refused')
      assert.deepEqual(await dataOf(provider, 's'), { of: 'b' })
      await provider.update('r', 's', { set: { more: 1 } })
      assert.equal(await outcomeOf(provider, 's', { generation: 'a' }), 'refused')
      await provider.remove('r', 's')
      await saved(provider, 's', { generation: 'c' })
      for (const again of ['a', 'b'])
        assert.equal(await outcomeOf(provider, 's', { generation: again }), 'refused')
      clock.advance(TOMBSTONE_MS)
      assert.equal(await outcomeOf(provider, 's', { generation: 'a' }), 'stored')
    },
  )

  add.basic(
    'generation: a new one takes the place of one that is alive, which is then ended',
    'contract',
    async ({ provider }) => {
      await saved(provider, 's', { generation: 'a', userId: 'u', labels: { sid: '1' }, alias: 'x' })
      await saved(provider, 's', { generation: 'b' })
      assert.equal((await read(provider, 's')).generation, 'b')
      assert.equal(await outcomeOf(provider, 's', { generation: 'a' }), 'refused')
      assert.deepEqual((await provider.listByUser('r', 'u')).items, [])
      assert.deepEqual((await provider.listByLabel('r', 'sid', '1')).items, [])
      assert.equal(await provider.find('r', 'x'), undefined)
      assert.equal(await provider.count('r'), 1)
      assert.equal(await provider.remove('r', 's', { generation: 'a' }), false)
      assert.equal((await read(provider, 's')).generation, 'b')
      assert.equal(await provider.remove('r', 's', { generation: 'b' }), true)
    },
  )

  add.basic(
    'generation: an update changes the one that it names, and no other',
    'contract',
    async ({ provider, clock }) => {
      await saved(provider, 's', { generation: 'a' })
      assert.equal(await provider.update('r', 's', { set: { of: 'a' }, generation: 'a' }), 2)
      await saved(provider, 's', { generation: 'b' })
      const before = await read(provider, 's')
      const reasons: string[] = []
      provider.on('refused', ({ reason }) => reasons.push(reason))
      for (const generation of ['a', 'c', '']) {
        const patches: WebSessionPatch[] = [
          { set: { of: 'a' } },
          { unset: ['n'] },
          { lifespanMs: LIFE_MS + 1 },
          { expiresAt: clock.now() },
          { userId: 'u' },
          { set: { of: 'a' }, ifVersion: 1 },
          {},
        ]
        for (const patch of patches)
          assert.equal(await provider.update('r', 's', { ...patch, generation }), undefined)
        assert.deepEqual(reasons.splice(0), Array(generation === 'a' ? patches.length : 0).fill('ended'))
      }
      assert.deepEqual(await read(provider, 's'), before)
      assert.deepEqual((await provider.listByUser('r', 'u')).items, [])
      assert.equal(await provider.update('r', 's', { set: { of: 'b' }, generation: 'b' }), 2)
      assert.equal(await provider.update('r', 's', { set: { of: 'any' } }), 3)
      await provider.remove('r', 's')
      assert.equal(await provider.update('r', 's', { set: { of: 'c' }, generation: 'c' }), undefined)
      assert.deepEqual(reasons, [])
      assert.equal(await provider.update('r', 's', { set: { of: 'b' }, generation: 'b' }), undefined)
      assert.deepEqual(reasons, ['ended'])
    },
  )

  add.basic(
    'mustExist: what is unknown or expired stays unknown',
    'contract',
    async ({ provider, clock }) => {
      assert.equal(await outcomeOf(provider, 's', { mustExist: true }), 'absent')
      assert.equal(await outcomeOf(provider, 's', { ifVersion: 1 }), 'absent')
      assert.equal(await provider.get('r', 's'), undefined)
      await saved(provider, 's')
      assert.equal(await outcomeOf(provider, 's', { mustExist: true }), 'stored')
      assert.equal(await outcomeOf(provider, 's', { mustExist: true, generation: 'b' }), 'absent')
      clock.advance(LIFE_MS)
      assert.equal(await outcomeOf(provider, 's', { mustExist: true }), 'absent')
      assert.equal(await outcomeOf(provider, 's'), 'stored')
      assert.equal((await read(provider, 's')).version, 1)
    },
  )

  add.concurrency(
    'ifVersion: of 100 writers one wins each version',
    'peers 12',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      await saved(provider, 's', { data: { writer: -1 } })
      for (let version = 1; version <= 4; version++) {
        const outcomes = await together(100, (n) => {
          const node = nodes[n % 2] ?? provider
          return node.save('r', 's', session({ data: { writer: n }, ifVersion: version }))
        })
        const won = outcomes.flatMap(({ outcome }, n) => (outcome === 'stored' ? [n] : []))
        assert.equal(won.length, 1)
        assert.deepEqual(await dataOf(provider, 's'), { writer: won[0] })
        assert.equal((await read(provider, 's')).version, version + 1)
        assert.ok(outcomes.every(({ outcome }) => outcome === 'stored' || outcome === 'conflict'))
      }
    },
  )

  add.concurrency(
    'ifVersion: 0 stores where there is none, and of 100 writers one does',
    'peers 12',
    async ({ provider, anotherNode, clock }) => {
      const nodes = [provider, await anotherNode()]
      const outcomes = await together(100, (n) => {
        const node = nodes[n % 2] ?? provider
        return node.save('r', 's', session({ data: { writer: n }, ifVersion: 0 }))
      })
      const won = outcomes.flatMap(({ outcome }, n) => (outcome === 'stored' ? [n] : []))
      assert.equal(won.length, 1)
      assert.deepEqual(await dataOf(provider, 's'), { writer: won[0] })
      assert.equal(outcomes.filter(({ outcome }) => outcome === 'conflict').length, 99)
      assert.equal(await outcomeOf(provider, 's', { ifVersion: 0, generation: 'b' }), 'stored')
      clock.advance(LIFE_MS)
      assert.equal(await outcomeOf(provider, 's', { ifVersion: 0, generation: 'b' }), 'stored')
      await provider.remove('r', 's')
      assert.equal(await outcomeOf(provider, 's', { ifVersion: 0, generation: 'b' }), 'refused')
    },
  )

  add.basic(
    'save: repeated after a lost reply, leaves what once leaves',
    'contract',
    async ({ provider, clock }) => {
      const fields = { userId: 'u', labels: { sid: '1' }, alias: 'x', generation: 'g' }
      await saved(provider, 's', fields)
      const once = await read(provider, 's')
      await saved(provider, 's', fields)
      assert.deepEqual(await read(provider, 's'), { ...once, version: 2 })
      assert.equal(await provider.count('r'), 1)
      assert.equal(await provider.remove('r', 's'), true)
      assert.equal(await provider.remove('r', 's'), false)
      clock.advance(LIFE_MS)
      assert.equal(await provider.remove('r', 's'), false)
      assert.equal(await outcomeOf(provider, 's', fields), 'refused')
      assert.equal(await outcomeOf(provider, 's', { ...fields, generation: 'h' }), 'stored')
    },
  )
}
