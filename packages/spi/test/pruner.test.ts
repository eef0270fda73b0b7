import { describe, expect, test } from 'vitest'
import { Pruner } from '../src/internal.js'

describe('a pruner', () => {
  const isOdd = (n: number) => n % 2 === 1

  test('looks at the next few each time, and in the end at all', () => {
    const map = new Map(Array.from({ length: 10 }, (_, n) => [`${n}`, n]))
    const pruner = new Pruner(map)
    pruner.prune(isOdd, 4)
    expect([...map.values()]).toEqual([0, 2, 4, 5, 6, 7, 8, 9])
    pruner.prune(isOdd, 4)
    expect([...map.values()]).toEqual([0, 2, 4, 6, 8, 9])
    pruner.prune(isOdd, 4)
    expect([...map.values()]).toEqual([0, 2, 4, 6, 8])
  })

  test('begins again at the end, and sees what was added, changed and taken away meanwhile', () => {
    const map = new Map([
      ['a', 0],
      ['b', 2],
    ])
    const pruner = new Pruner(map)
    pruner.prune(isOdd, 1)
    map.delete('b')
    map.set('c', 1)
    pruner.prune(isOdd, 1)
    expect([...map]).toEqual([['a', 0]])
    map.set('a', 3)
    for (let n = 0; n < 2; n++) pruner.prune(isOdd, 4)
    expect(map.size).toBe(0)
    pruner.prune(isOdd)
    map.set('d', 1)
    for (let n = 0; n < 2; n++) pruner.prune(isOdd)
    expect(map.size).toBe(0)
  })

  test('keeps a map as small as what lives, however many come and go', () => {
    const map = new Map<number, number>()
    const pruner = new Pruner(map)
    for (let now = 0; now < 10_000; now++) {
      map.set(now, now + 100)
      pruner.prune((expiresAt) => expiresAt <= now)
      expect(map.size).toBeLessThan(300)
    }
  })
})
