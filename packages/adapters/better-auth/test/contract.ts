// What better-auth asks of a secondary storage, in our own words: from its documentation and the comments of its types.
import { hostileNames, together } from '@authstate/conformance'
import { expect, test } from 'vitest'
import type { SecondaryStorage } from '../src/index.js'

const AT_ONCE = 50

/** @param open Two nodes over the same store. */
export function describeContract(open: () => Promise<readonly [SecondaryStorage, SecondaryStorage]>): void {
  test('get: null where nothing was stored', async () => {
    const [storage] = await open()
    expect(await storage.get('nothing')).toBeNull()
    expect(await storage.get('verification:nothing')).toBeNull()
    expect(await storage.get('active-sessions-nobody')).toBeNull()
  })

  test.each(['key', 'verification:reset-password:1', 'api-key:by-id:1', '10.0.0.1|/sign-in'])(
    'set then get: the same text, on every node, under %s',
    async (key) => {
      const [storage, other] = await open()
      await storage.set(key, '{"a":[1,{}],"b":null}', 60)
      expect(await other.get(key)).toBe('{"a":[1,{}],"b":null}')
    },
  )

  test('set: takes the place of what was there', async () => {
    const [storage, other] = await open()
    await storage.set('key', 'one', 60)
    await other.set('key', 'two', 60)
    expect(await storage.get('key')).toBe('two')
  })

  test('set: without an end it is kept as well', async () => {
    const [storage] = await open()
    await storage.set('key', 'value')
    expect(await storage.get('key')).toBe('value')
    expect(storage.counts()).toMatchObject({ untimed: 1 })
  })

  test.each([0, -1])('set: with %i seconds left nothing is kept', async (ttl) => {
    const [storage] = await open()
    await storage.set('key', 'value', 60)
    await storage.set('key', 'again', ttl)
    expect(await storage.get('key')).toBeNull()
  })

  test('delete: forgets it, and what is not there as well; the key may be used again', async () => {
    const [storage, other] = await open()
    await storage.set('key', 'value', 60)
    await other.delete('key')
    await storage.delete('key')
    expect(await storage.get('key')).toBeNull()
    await storage.set('key', 'again', 60)
    expect(await storage.get('key')).toBe('again')
  })

  test.each(['key', 'verification:code'])(
    'getAndDelete: of fifty at once one gets it, under %s',
    async (key) => {
      const nodes = await open()
      await nodes[0].set(key, 'value', 60)
      const got = await together(AT_ONCE, (index) => nodes[index % 2 === 0 ? 0 : 1].getAndDelete(key))
      expect(got.filter((value) => value !== null)).toEqual(['value'])
    },
  )

  test('getAndDelete: the key may be used again', async () => {
    const [storage] = await open()
    expect(await storage.getAndDelete('verification:code')).toBeNull()
    await storage.set('verification:code', 'one', 60)
    expect(await storage.getAndDelete('verification:code')).toBe('one')
    await storage.set('verification:code', 'one', 60)
    expect(await storage.get('verification:code')).toBe('one')
  })

  test('increment: counts from one, for each key', async () => {
    const [storage, other] = await open()
    expect(await storage.increment('a', 60)).toBe(1)
    expect(await other.increment('a', 60)).toBe(2)
    expect(await storage.increment('b', 60)).toBe(1)
  })

  test('increment: of fifty at once each gets another number', async () => {
    const nodes = await open()
    const counted = await together(AT_ONCE, (index) => nodes[index % 2 === 0 ? 0 : 1].increment('key', 60))
    expect(counted.sort((one, other) => one - other)).toEqual(
      Array.from({ length: AT_ONCE }, (_, at) => at + 1),
    )
  })

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'increment: %d seconds are refused, and nothing is counted',
    async (ttl) => {
      const [storage] = await open()
      await expect(storage.increment('key', ttl)).rejects.toThrow(/"ttl"/)
      expect(await storage.increment('key', 60)).toBe(1)
    },
  )

  test('a key is whatever text, of any length', async () => {
    const [storage, other] = await open()
    for (const key of new Set(['', '__proto__', 'x'.repeat(100_000), 'active-sessions-', ...hostileNames])) {
      await storage.set(key, `of ${key.length}`, 60)
      expect(await other.get(key)).toBe(`of ${key.length}`)
      expect(await storage.increment(key, 60)).toBe(1)
      expect(await other.getAndDelete(key)).toBe(`of ${key.length}`)
      expect(await storage.get(key)).toBeNull()
    }
  })

  test('a value that is too large is refused with limit and size, and nothing is kept', async () => {
    const [storage] = await open()
    const large = 'x'.repeat(300_000)
    await expect(storage.set('key', large, 60)).rejects.toThrow(/"maxDataBytes" of action-token, got 300008/)
    const session = JSON.stringify({ session: { token: 'token', userId: 'u', large }, user: {} })
    await expect(storage.set('token', session, 60)).rejects.toThrow(
      /"maxDataBytes" of web-session, got 3\d{5}/,
    )
    expect([await storage.get('key'), await storage.get('token')]).toEqual([null, null])
  })
}
