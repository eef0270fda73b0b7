import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { SessionData, WebSessionPatch, WebSessionProvider } from '../contract.js'
import { DATA_CEILING, dataOf, LIFE_MS, outcomeOf, read, saved } from './fixture.js'

/** Changes of what is there. */
export function updating(add: SuiteBuilder<WebSessionProvider>): void {
  add.basic('update: never creates', 'peers 1', async ({ provider, clock }) => {
    const patches: WebSessionPatch[] = [
      { lifespanMs: LIFE_MS },
      { set: { a: 1 } },
      { unset: ['n'] },
      { userId: 'u' },
      {},
    ]
    const changesNothing = async (id: string) => {
      for (const patch of patches) assert.equal(await provider.update('r', id, patch), undefined)
      assert.equal(await provider.get('r', id), undefined)
    }
    await changesNothing('unknown')
    await saved(provider, 'removed')
    await provider.remove('r', 'removed')
    await changesNothing('removed')
    await saved(provider, 'expired')
    clock.advance(LIFE_MS)
    await changesNothing('expired')
    assert.deepEqual(await provider.list('r'), { items: [] })
    assert.deepEqual(await provider.listByUser('r', 'u'), { items: [] })
  })

  add.basic(
    'update: merges by name, and leaves all else as it is',
    'contract',
    async ({ provider, clock }) => {
      await saved(provider, 's', {
        data: { a: 1, b: { c: [] }, d: '' },
        userId: 'u',
        labels: { l: 'v' },
        alias: 'x',
      })
      const before = await read(provider, 's')
      clock.advance(5)
      assert.equal(
        await provider.update('r', 's', { set: { a: { x: null }, e: [] }, unset: ['d', 'none'] }),
        2,
      )
      assert.deepEqual(await read(provider, 's'), {
        ...before,
        data: { a: { x: null }, b: { c: [] }, e: [] },
        savedAt: before.savedAt + 5,
        version: 2,
      })
      assert.equal(await provider.update('r', 's', { unset: ['a', 'b', 'e'] }), 3)
      assert.deepEqual(await dataOf(provider, 's'), {})
      assert.equal(await provider.update('r', 's', { set: { a: 1 } }), 4)
      assert.deepEqual(await dataOf(provider, 's'), { a: 1 })
      assert.equal(await provider.update('r', 's', {}), 5)
    },
  )

  add.basic('update: names of any kind keep to themselves', 'contract', async ({ provider }) => {
    const names = [
      'a',
      'a:b',
      '%',
      '%3a',
      '{',
      '}',
      '{}',
      ',',
      '"',
      '\\',
      '\n',
      '',
      '1,2',
      'constructor',
      'ü',
      '🔑',
      '\u0000',
    ]
    await saved(provider, 's', { data: {} })
    const expected: Record<string, string> = {}
    for (const name of names) {
      await provider.update('r', 's', { set: { [name]: name } })
      expected[name] = name
      assert.deepEqual(await dataOf(provider, 's'), expected)
    }
    for (const name of names) {
      await provider.update('r', 's', { unset: [name], set: { [`${name}!`]: {} } })
      delete expected[name]
      const held = (await dataOf(provider, 's')) as SessionData
      assert.deepEqual(held[`${name}!`], {})
      await provider.update('r', 's', { unset: [`${name}!`] })
    }
    assert.deepEqual(await dataOf(provider, 's'), {})
  })

  add.concurrency(
    'update: a hundred of different names at once are all there',
    'peers 12',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      await saved(provider, 's', { data: { gone: 1, stays: 1 } })
      const versions = await together(100, (n) =>
        (nodes[n % 2] ?? provider).update('r', 's', {
          set: { [`n${n}`]: [n] },
          ...(n === 50 && { unset: ['gone'] }),
        }),
      )
      assert.deepEqual(
        versions.toSorted((a = 0, b = 0) => a - b),
        Array.from({ length: 100 }, (_, n) => n + 2),
      )
      const expected = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`n${n}`, [n]]))
      assert.deepEqual(await dataOf(provider, 's'), { stays: 1, ...expected })
    },
  )

  add.concurrency(
    'update: ifVersion lets one of many through',
    'peers 12',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      await saved(provider, 's')
      const versions = await together(50, (n) =>
        (nodes[n % 2] ?? provider).update('r', 's', { set: { n }, ifVersion: 1 }),
      )
      assert.deepEqual(
        versions.filter((version) => version !== undefined),
        [2],
      )
      assert.equal(await provider.update('r', 's', { lifespanMs: LIFE_MS, ifVersion: 1 }), undefined)
      assert.equal(await provider.update('r', 's', { lifespanMs: LIFE_MS, ifVersion: 2 }), 3)
    },
  )

  add.basic(
    'update: data that grow too large are refused, and nothing changes',
    'issue: bad input',
    async ({ provider }) => {
      const half = 'ü'.repeat(DATA_CEILING / 4 - 10)
      await saved(provider, 's', { data: { a: half } })
      const refused = (patch: WebSessionPatch) =>
        assert.rejects(provider.update('r', 's', patch), (error: Error) => {
          assert.ok(error instanceof RangeError, error.name)
          assert.match(error.message, /"set".*4096.*maxDataBytes.*got \d+/)
          return true
        })
      await provider.update('r', 's', { set: { b: half } })
      const before = await read(provider, 's')
      await refused({ set: { c: half } })
      await refused({ set: { c: 'x'.repeat(200) }, unset: ['none'], userId: 'u' })
      await refused({ set: { c: 'x'.repeat(10 * DATA_CEILING) } })
      assert.deepEqual(await read(provider, 's'), before)
      assert.equal(await provider.update('r', 's', { set: { c: half }, unset: ['a'] }), 3)
      const rest = DATA_CEILING - Buffer.byteLength(JSON.stringify({ b: half, c: half, d: '' }))
      assert.equal(await provider.update('r', 's', { set: { d: 'x'.repeat(rest) } }), 4)
      await refused({ set: { d: 'x'.repeat(rest + 1) } })
    },
  )

  add.basic('update: a touch is a version of its own', 'contract', async ({ provider, clock }) => {
    await saved(provider, 's', { data: { a: 'x'.repeat(1_000) } })
    clock.advance(1_000)
    assert.equal(await provider.update('r', 's', { lifespanMs: LIFE_MS }), 2)
    const { data, savedAt, expiresAt, version } = await read(provider, 's')
    assert.deepEqual(
      [data, savedAt, expiresAt, version],
      [{ a: 'x'.repeat(1_000) }, clock.now(), clock.now() + LIFE_MS, 2],
    )
    assert.equal(await outcomeOf(provider, 's', { ifVersion: 1 }), 'conflict')
    assert.equal(await outcomeOf(provider, 's', { ifVersion: 2 }), 'stored')
  })
}
