import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { ActionTokenProvider, ListedToken, ListOptions } from '../contract.js'
import { awkward, LIFESPAN_MS, token } from './fixture.js'

const alice = { ...token, subject: 'alice' }

/** The keys on every page of a listing, sorted. */
async function allKeys(provider: ActionTokenProvider, options: ListOptions = {}): Promise<string[]> {
  const keys: string[] = []
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page: { readonly items: readonly ListedToken[]; readonly cursor?: string } =
      await provider.listBySubject('realm', 'alice', { ...options, ...(cursor !== undefined && { cursor }) })
    assert.ok(page.items.length <= (options.limit ?? 20))
    keys.push(...page.items.map(({ kind, key }) => `${kind} ${key}`))
    cursor = page.cursor
  }
  return keys.sort()
}

/** What there is about somebody. */
export function listing(add: SuiteBuilder<ActionTokenProvider>): void {
  add.basic(
    'listBySubject: what can still be consumed, as get gives it, and what was consumed when asked for',
    'contract',
    async ({ provider, clock }) => {
      await provider.put('realm', 'rt', 'a', { ...alice, data: { n: 1 }, family: 'grant' })
      await provider.put('realm', 'code', 'b', alice)
      await provider.put('realm', 'code', 'used', alice)
      await provider.consume('realm', 'code', 'used')
      await provider.put('realm', 'code', 'bobs', { ...token, subject: 'bob' })
      await provider.put('realm', 'code', 'nobodys', token)
      await provider.put('realm-2', 'code', 'c', alice)
      assert.deepEqual(await allKeys(provider), ['code b', 'rt a'])
      assert.deepEqual(await allKeys(provider, { kind: 'rt' }), ['rt a'])
      assert.deepEqual(await allKeys(provider, { kind: 'none' }), [])
      assert.deepEqual(await allKeys(provider, { consumed: true }), ['code b', 'code used', 'rt a'])
      assert.deepEqual(await allKeys(provider, { consumed: true, kind: 'code' }), ['code b', 'code used'])
      assert.deepEqual(await provider.listBySubject('realm', 'alice', { kind: 'rt' }), {
        items: [{ kind: 'rt', key: 'a', ...(await provider.get('realm', 'rt', 'a')) }],
      })
      const { items } = await provider.listBySubject('realm', 'alice', { kind: 'code', consumed: true })
      assert.equal(items.find(({ key }) => key === 'used')?.consumedAt, clock.now())
      await provider.put('realm', 'code', 'b', { ...token, subject: 'bob' })
      await provider.remove('realm', 'rt', 'a')
      assert.deepEqual(await allKeys(provider), [])
      clock.advance(LIFESPAN_MS)
      assert.deepEqual(await allKeys(provider, { consumed: true }), [])
    },
  )

  add.basic(
    'listBySubject: over pages none is missed and none comes twice, whatever is left out',
    'contract',
    async ({ provider }) => {
      const expected = Array.from({ length: 120 }, (_, n) => `${n % 3 === 0 ? 'rt' : 'code'} k${n}`)
      // Some end at one instant, some one after the other.
      await together(120, (n) =>
        provider.put('realm', n % 3 === 0 ? 'rt' : 'code', `k${n}`, {
          lifespanMs: LIFESPAN_MS + (n < 60 ? 0 : n),
          subject: 'alice',
        }),
      )
      await together(30, (n) => provider.consume('realm', (n * 4) % 3 === 0 ? 'rt' : 'code', `k${n * 4}`))
      const living = expected.filter((_, n) => n % 4 > 0)
      for (const limit of [1, 7, 100]) {
        assert.deepEqual(await allKeys(provider, { limit }), living.toSorted())
        assert.deepEqual(await allKeys(provider, { limit, consumed: true }), expected.toSorted())
        assert.deepEqual(
          await allKeys(provider, { limit, kind: 'rt' }),
          living.filter((name) => name.startsWith('rt')).sort(),
        )
      }
      const { items, cursor } = await provider.listBySubject('realm', 'alice', { kind: 'rt' })
      assert.equal(items.length, 20, 'a page is full while there is more')
      assert.notEqual(cursor, undefined)
    },
  )

  add.concurrency(
    'listBySubject: while others come and go, none that stays is missed and none comes twice',
    'contract',
    async ({ provider, anotherNode, random }) => {
      const other = await anotherNode()
      await together(200, (n) =>
        provider.put('realm', 'rt', `k${n}`, {
          lifespanMs: LIFESPAN_MS + Math.floor(random() * 20),
          subject: 'alice',
        }),
      )
      await together(60, (n) => provider.put('realm', 'rt', `guest${n}`, alice))
      const seen: string[] = []
      for (let cursor: string | undefined, round = 0; round === 0 || cursor !== undefined; round++) {
        const [page] = await Promise.all([
          provider.listBySubject('realm', 'alice', { limit: 13, ...(cursor !== undefined && { cursor }) }),
          other.take('realm', 'rt', `guest${round}`),
          other.consume('realm', 'rt', `guest${round + 30}`),
          other.put('realm', 'rt', `new${round}`, alice),
        ])
        seen.push(...page.items.map(({ key }) => key))
        cursor = page.cursor
      }
      const steady = Array.from({ length: 200 }, (_, n) => `k${n}`).sort()
      assert.deepEqual(seen.filter((key) => key.startsWith('k')).sort(), steady)
      assert.equal(new Set(seen).size, seen.length)
    },
  )

  add.basic(
    'listBySubject: names of any kind come back as they were given',
    'contract',
    async ({ provider }) => {
      for (const name of awkward) await provider.put('realm', name, `${name.slice(0, 500)}!`, alice)
      const names = awkward.map((name) => `${name} ${name.slice(0, 500)}!`).sort()
      assert.deepEqual(await allKeys(provider, { limit: 3 }), names)
      for (const name of awkward) assert.deepEqual((await allKeys(provider, { kind: name })).length, 1)
    },
  )

  add.basic(
    'listBySubject: a cursor says nothing of a token, and another text is none',
    'issue: bad input',
    async ({ provider }) => {
      for (const key of ['secret-key-1', 'secret-key-2']) await provider.put('realm', 'code', key, alice)
      const { cursor = '' } = await provider.listBySubject('realm', 'alice', { limit: 1 })
      assert.doesNotMatch(Buffer.from(cursor, 'base64url').toString('latin1'), /secret/)
      const refused: [object, string, RegExp][] = [
        [{ cursor: 'x' }, 'TypeError', /page\.cursor/],
        [{ cursor: `${cursor}A` }, 'TypeError', /page\.cursor/],
        [{ limit: 0 }, 'RangeError', /page\.limit/],
        [{ limit: 101 }, 'RangeError', /page\.limit/],
        [{ kind: '' }, 'TypeError', /"kind"/],
        [{ consumed: 1 }, 'TypeError', /"consumed"/],
      ]
      for (const [options, name, message] of refused)
        await assert.rejects(provider.listBySubject('realm', 'alice', options), { name, message })
    },
  )
}
