import fc from 'fast-check'
import { Cluster } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { cluster, clusterNodes, describeWith } from '../../../tools/testing/capabilities.js'
import { createKeySpace, escapePart, unescapePart } from '../src/index.js'

const keys = createKeySpace('p', 16)
/** Any well-formed text, with what could forge a key made likely. */
const part = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('%', ':', '{', '}', '2', '5', '3', 'a', '7', 'b', 'd', 'é', '😀') }),
)
const parts = fc.array(part, { minLength: 1, maxLength: 4 })

describe('escaping', () => {
  test('is undone by unescaping', () => {
    fc.assert(fc.property(part, (text) => unescapePart(escapePart(text)) === text))
  })

  test('leaves nothing that separates or tags', () => {
    fc.assert(fc.property(part, (text) => !/[:{}]/.test(escapePart(text))))
  })

  test('makes two keys of two lists of parts', () => {
    fc.assert(
      fc.property(parts, parts, (item, other) => {
        const same = JSON.stringify(item) === JSON.stringify(other)
        return (keys.key(3, 'k', ...item) === keys.key(3, 'k', ...other)) === same
      }),
    )
  })

  test.each(['%', '%25', '%3a', ':', '{}', '}{', '%7b', 'a%3Ab'])('%s comes back', (text) => {
    expect(unescapePart(escapePart(text))).toBe(text)
  })
})

describe('a key', () => {
  test('has the shape that the storage page shows', () => {
    expect(keys.key(10, 'at', 'realm', 'a:{b}%')).toBe('p:{0a}:at:realm:a%3a%7bb%7d%25')
    expect(keys.key(0, 'af', 'realm', '')).toBe('p:{00}:af:realm:')
    expect(keys.shared('layout')).toBe('p:layout')
  })

  test('has one hash tag: its partition', () => {
    const every = fc.integer({ min: 0, max: 15 })
    fc.assert(
      fc.property(every, parts, (partition, some) => {
        const key = keys.key(partition, 'k', ...some)
        expect(key.match(/[{}]/g)).toEqual(['{', '}'])
        expect(/\{(.*)\}/.exec(key)?.[1]).toBe(partition.toString(16).padStart(2, '0'))
      }),
    )
  })

  test.each([16, 255, -1, 1.5, Number.NaN])('of partition %d is refused: there are 16', (partition) => {
    expect(() => keys.key(partition, 'k')).toThrow(RangeError)
  })
})

describe('partitions', () => {
  const ids: readonly [string, (n: number) => string][] = [
    ['numbers', (n) => String(n)],
    ['UUIDs that differ in front', (n) => `${n.toString(16).padStart(8, '0')}-4b1c-4d7e-9a51-3f0c2d9e8b76`],
    ['UUIDs that differ at the end', (n) => `6f9619ff-8b86-4d01-b42d-${n.toString(16).padStart(12, '0')}`],
    ['addresses of mail', (n) => `user.${n}@example.org`],
    ['names in another script', (n) => `使用者${n}`],
  ]

  test.each(ids)('%s spread evenly', (_, id) => {
    const perPartition = 1_000
    const counts = new Array<number>(16).fill(0)
    for (let n = 0; n < 16 * perPartition; n++) {
      const partition = keys.partitionFor(id(n))
      counts[partition] = (counts[partition] ?? 0) + 1
    }
    const chiSquare = counts.reduce((sum, n) => sum + (n - perPartition) ** 2 / perPartition, 0)
    // 15 degrees of freedom: random ids stay below 37.7 in 999 of 1000 tries.
    expect(chiSquare).toBeLessThan(37.7)
  })

  test.each([1, 2, 7, 256])('of %d each is used, and no other', (partitions) => {
    const space = createKeySpace('p', partitions)
    const used = new Set(Array.from({ length: 20_000 }, (_, n) => space.partitionFor(`user-${n}`)))
    expect([...used].sort((a, b) => a - b)).toEqual(space.all)
  })

  test('an id always lies in the same one', () => {
    fc.assert(fc.property(part, (id) => keys.partitionFor(id) === createKeySpace('q', 16).partitionFor(id)))
  })
})

describeWith(cluster, 'on a Cluster', () => {
  const client = new Cluster(clusterNodes())
  afterAll(() => client.disconnect())

  test('all keys of a partition lie in one slot, and partitions in several', async () => {
    const slotOf = (key: string) => client.cluster('KEYSLOT', key) as Promise<number>
    const slots = await Promise.all(
      keys.all.map(async (partition) => {
        const all = [['a'], ['a', 'b'], ['{x}'], ['}{', '{}'], ['']].map((some) =>
          keys.key(partition, 'k', ...some),
        )
        const found = new Set(await Promise.all(all.map(slotOf)))
        expect(found.size).toBe(1)
        return [...found][0]
      }),
    )
    expect(new Set(slots).size).toBe(16)
  })
})
