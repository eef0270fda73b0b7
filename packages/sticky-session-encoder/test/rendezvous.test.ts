import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRendezvous } from '../src/index.js'

const KEYS = Array.from({ length: 60_000 }, (_, n) => `key-${n.toString(36)}-${n % 7}`)
const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 })
const keys = fc.array(fc.string(), { minLength: 1, maxLength: 50 })

const shares = (owners: Iterable<string | undefined>) => {
  const counts = new Map<string | undefined, number>()
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  return counts
}

describe('rendezvous', () => {
  test('nobody owns anything where there are no names', () => {
    expect(createRendezvous([])('x')).toBeUndefined()
  })

  test('a name that leaves moves its own keys and no others', () => {
    fc.assert(
      fc.property(names, keys, fc.nat(), (all, some, pick) => {
        const leaves = all[pick % all.length]
        const before = createRendezvous(all)
        const after = createRendezvous(all.filter((name) => name !== leaves))
        for (const key of some) {
          const owner = before(key)
          expect(all).toContain(owner)
          if (owner === leaves) expect(after(key)).not.toBe(leaves)
          else expect(after(key)).toBe(owner)
        }
      }),
    )
  })

  test('neither order nor repetition of the names matters', () => {
    fc.assert(
      fc.property(names, keys, (all, some) => {
        const item = createRendezvous(all)
        const other = createRendezvous([...all, ...all].reverse())
        for (const key of some) expect(other(key)).toBe(item(key))
      }),
    )
  })

  test('of names with one hash the first in order owns all, whoever comes first', () => {
    const twins = ['node-1wekavj91a', 'node-15jsm6wg56o']
    for (const all of [twins, [...twins].reverse()]) {
      expect(new Set(KEYS.slice(0, 100).map(createRendezvous(all)))).toEqual(new Set(['node-15jsm6wg56o']))
    }
  })

  test.each([2, 3, 5, 16])('shares of %i nodes are even within 4 %', (count) => {
    // Names as hosts have them: they differ in one character.
    const nodes = Array.from({ length: count }, (_, n) => `auth-server-${n}`)
    const rendezvous = createRendezvous(nodes)
    const counts = shares(KEYS.map(rendezvous))
    const even = KEYS.length / count
    for (const node of nodes) expect(Math.abs((counts.get(node) ?? 0) / even - 1)).toBeLessThan(0.04)
  })

  test('of four nodes the one that leaves moves a quarter of the keys, evenly to the others', () => {
    const nodes = ['a', 'b', 'c', 'd']
    const before = createRendezvous(nodes)
    const after = createRendezvous(nodes.slice(1))
    const moved = KEYS.filter((key) => before(key) !== after(key))
    expect(moved.every((key) => before(key) === 'a')).toBe(true)
    expect(Math.abs(moved.length / KEYS.length - 0.25)).toBeLessThan(0.01)
    for (const [, count] of shares(moved.map(after)))
      expect(Math.abs(count / moved.length - 1 / 3)).toBeLessThan(0.02)
  })
})
