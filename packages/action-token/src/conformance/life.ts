import assert from 'node:assert/strict'
import { type SuiteBuilder, together } from '@authstate/conformance'
import type { ActionTokenProvider, Lifetime } from '../contract.js'
import { awkward, CEILING_MS, LIFESPAN_MS, RACERS, ROUNDS, separators, token } from './fixture.js'

/** Storing, reading, replacing and expiring. */
export function life(add: SuiteBuilder<ActionTokenProvider>): void {
  add.basic('put: what was stored can be read until it is removed', 'A9/112', async ({ provider, clock }) => {
    const expiresAt = clock.now() + LIFESPAN_MS
    assert.equal(await provider.put('realm', 'code', 'k', { ...token, data: { foo: 'bar' } }), 'stored')
    assert.deepEqual(await provider.get('realm', 'code', 'k'), { data: { foo: 'bar' }, expiresAt })
    assert.equal(await provider.has('realm', 'code', 'k'), true)
    assert.equal(await provider.remove('realm', 'code', 'k'), true)
    assert.equal(await provider.remove('realm', 'code', 'k'), false)
    assert.equal(await provider.get('realm', 'code', 'k'), undefined)
    assert.equal(await provider.put('realm', 'code', 'k', token), 'stored')
  })

  add.basic('put: a token without data has an empty object, not nothing', 'A9/113', async ({ provider }) => {
    assert.equal(await provider.putIfAbsent('realm', 'code', 'k', token), true)
    assert.deepEqual((await provider.get('realm', 'code', 'k'))?.data, {})
  })

  add.basic(
    'mintKey: keys are URL-safe, never repeat, and can be stored and redeemed',
    'issue 22',
    async ({ provider }) => {
      const keys = Array.from({ length: 2_000 }, () => provider.mintKey())
      assert.equal(new Set(keys).size, keys.length)
      for (const key of keys) assert.match(key, /^[\w-]{21}\.0$/)
      const [key = ''] = keys
      assert.equal(await provider.put('realm', 'code', key, token), 'stored')
      assert.equal((await provider.consume('realm', 'code', key)).outcome, 'consumed')
    },
  )

  add.basic('put: replaces what was not consumed, with a new life', '§6.2', async ({ provider, clock }) => {
    await provider.put('realm', 'code', 'k', { ...token, data: { n: 1 } })
    clock.advance(1_000)
    assert.equal(await provider.put('realm', 'code', 'k', { ...token, data: { n: 2 } }), 'stored')
    assert.deepEqual(await provider.get('realm', 'code', 'k'), {
      data: { n: 2 },
      expiresAt: clock.now() + LIFESPAN_MS,
    })
  })

  add.basic('put: data keeps every JSON value, and a copy of it', '§6.2', async ({ provider }) => {
    const data = {
      text: 'é🔑\u0000"\\/',
      n: -1.5,
      big: 1_700_000_000_000,
      yes: true,
      none: null,
      list: [],
      deep: { empty: {} },
    }
    const given = structuredClone(data)
    await provider.put('realm', 'code', 'k', { ...token, data: given })
    given.deep = { empty: { changed: true } } as never
    assert.deepEqual((await provider.get('realm', 'code', 'k'))?.data, data)
    assert.deepEqual(await provider.consume('realm', 'code', 'k'), { outcome: 'consumed', data })
  })

  add.basic(
    'replace: changes data, keeps the remaining life, never creates',
    'A9/113, §19 row 38',
    async ({ provider, clock }) => {
      assert.equal(await provider.replace('realm', 'code', 'k', { n: 1 }), false)
      assert.equal(await provider.get('realm', 'code', 'k'), undefined)
      const expiresAt = clock.now() + LIFESPAN_MS
      await provider.put('realm', 'code', 'k', { ...token, data: { n: 1 } })
      clock.advance(10_000)
      assert.equal(await provider.replace('realm', 'code', 'k', { n: 2 }), true)
      assert.deepEqual(await provider.get('realm', 'code', 'k'), { data: { n: 2 }, expiresAt })
      clock.advance(LIFESPAN_MS - 10_000)
      assert.equal(await provider.replace('realm', 'code', 'k', { n: 3 }), false)
    },
  )

  add.basic('putIfAbsent: false while the key is taken', 'A9/113', async ({ provider }) => {
    await provider.put('realm', 'code', 'k', { ...token, data: { n: 1 } })
    assert.equal(await provider.putIfAbsent('realm', 'code', 'k', token), false)
    await provider.remove('realm', 'code', 'k')
    assert.equal(await provider.putIfAbsent('realm', 'code', 'k', token), true)
  })

  add.expiry(
    'get: there one millisecond before expiresAt, gone at it',
    'A9/112',
    async ({ provider, clock }) => {
      await provider.put('realm', 'code', 'k', token)
      clock.advance(LIFESPAN_MS - 1)
      assert.equal(await provider.has('realm', 'code', 'k'), true)
      assert.notEqual(await provider.get('realm', 'code', 'k'), undefined)
      clock.advance(1)
      assert.equal(await provider.has('realm', 'code', 'k'), false)
      assert.equal(await provider.get('realm', 'code', 'k'), undefined)
      assert.equal(await provider.get('realm', 'code', 'k', { includeExpired: true }), undefined)
      assert.equal(await provider.remove('realm', 'code', 'k'), false)
      assert.equal(await provider.putIfAbsent('realm', 'code', 'k', token), true)
    },
  )

  add.expiry(
    'put: a lifespan above the ceiling is refused, and nothing is written',
    '§19 row 20, CVE-2025-2559',
    async ({ provider, clock }) => {
      assert.equal(provider.limits.maxLifespanMs, CEILING_MS)
      const tooLong: (readonly [RegExp, Lifetime])[] = [
        [/"lifespanMs".*3600000/, { lifespanMs: CEILING_MS + 1 }],
        [/"lifespanMs"/, { lifespanMs: Number.MAX_SAFE_INTEGER }],
        [/"expiresAt".*3600000/, { expiresAt: clock.now() + CEILING_MS + 1 }],
      ]
      for (const [message, life] of tooLong) {
        const refusal = { name: 'RangeError', message }
        await assert.rejects(provider.put('realm', 'jti', 'k', life), refusal)
        await assert.rejects(provider.putIfAbsent('realm', 'jti', 'k', life), refusal)
        await assert.rejects(
          provider.issueActionToken('realm', { ...life, userId: 'u', actionId: 'a' }),
          refusal,
        )
      }
      assert.equal(await provider.has('realm', 'jti', 'k'), false)
      assert.equal(await provider.removeByRealm('realm'), 0)
      const expiresAt = clock.now() + CEILING_MS
      assert.equal(await provider.put('realm', 'jti', 'k', { lifespanMs: CEILING_MS }), 'stored')
      assert.equal((await provider.get('realm', 'jti', 'k'))?.expiresAt, expiresAt)
      assert.equal(await provider.put('realm', 'jti', 'k', { expiresAt }), 'stored')
      assert.equal((await provider.get('realm', 'jti', 'k'))?.expiresAt, expiresAt)
    },
  )

  add.expiry(
    'put: at an instant that has passed nothing is stored',
    'contract',
    async ({ provider, clock }) => {
      const expiresAt = clock.now()
      await provider.put('realm', 'code', 'k', { ...token, data: { n: 1 } })
      assert.equal(await provider.put('realm', 'code', 'k', { expiresAt }), 'refused')
      assert.equal(await provider.putIfAbsent('realm', 'code', 'k2', { expiresAt }), false)
      assert.deepEqual((await provider.get('realm', 'code', 'k'))?.data, { n: 1 })
      assert.equal(await provider.has('realm', 'code', 'k2'), false)
      const late = { expiresAt: expiresAt + 1, data: { n: 2 } }
      assert.equal(await provider.put('realm', 'code', 'k', late), 'stored')
      clock.advance(1)
      assert.equal(await provider.has('realm', 'code', 'k'), false)
    },
  )

  add.concurrency(
    'putIfAbsent: exactly one of N callers stores',
    '§6.2',
    async ({ provider, anotherNode }) => {
      const nodes = [provider, await anotherNode()]
      for (let round = 0; round < ROUNDS; round++) {
        const won = await together(RACERS, (n) =>
          (nodes[n % 2] as ActionTokenProvider).putIfAbsent('realm', 'jti', `k${round}`, token),
        )
        assert.equal(won.filter(Boolean).length, 1)
      }
    },
  )

  add.cluster('put: every node sees it, and sees it go', 'A9/115', async ({ provider, anotherNode }) => {
    const other = await anotherNode()
    await provider.put('realm', 'code', 'one', token)
    await provider.put('realm', 'code', 'two', token)
    assert.equal(await other.has('realm', 'code', 'one'), true)
    assert.equal(await other.remove('realm', 'code', 'one'), true)
    assert.equal(await provider.has('realm', 'code', 'one'), false)
    assert.equal(await provider.has('realm', 'code', 'two'), true)
  })

  add.basic(
    'names: no separator, brace or odd name makes two keys one',
    '§19 row 16',
    async ({ provider }) => {
      const triples = [
        ...awkward.flatMap((a) => awkward.map((b) => [a, b, 'k'] as const)),
        ...separators.flatMap((s) => [
          [`x${s}y`, 'z', 'k'] as const,
          ['x', `y${s}z`, 'k'] as const,
          ['x', 'y', `z${s}k`] as const,
        ]),
      ]
      for (const [realmId, kind, key] of triples) {
        const data = { realmId, kind, key }
        assert.equal(await provider.putIfAbsent(realmId, kind, key, { ...token, data }), true)
      }
      for (const [realmId, kind, key] of triples) {
        assert.deepEqual((await provider.get(realmId, kind, key))?.data, { realmId, kind, key })
      }
    },
  )

  add.basic(
    'names: no separator makes two families or two subjects one',
    '§19 row 16',
    async ({ provider }) => {
      const pairs = separators.flatMap((s) => [[`x${s}y`, 'z'] as const, ['x', `y${s}z`] as const])
      for (const [realmId, name] of pairs) {
        await provider.put(realmId, 'rt', `family ${name}`, { ...token, family: name })
        await provider.put(realmId, 'rt', `subject ${name}`, { ...token, subject: name })
      }
      for (const [realmId, name] of pairs) {
        assert.equal(await provider.revokeFamily(realmId, name), 1)
        assert.equal(await provider.removeBySubject(realmId, name), 1)
      }
    },
  )
}
