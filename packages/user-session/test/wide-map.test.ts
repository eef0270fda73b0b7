import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WideMap } from '../src/memory/wide-map.js'

test('a wide map is as a map, however many entries come and go', () => {
  const wide = new WideMap<number>()
  const map = new Map<string, number>()
  const both = (name: string, value: number | undefined) => {
    if (value === undefined) {
      wide.delete(name)
      map.delete(name)
    } else {
      wide.set(name, value)
      map.set(name, value)
    }
  }
  const agree = () => {
    expect(wide.size).toBe(map.size)
    expect([...wide.keys()].sort()).toEqual([...map.keys()].sort())
    for (const [name, value] of map) if (wide.get(name) !== value) expect.fail(name)
  }
  const names = Array.from({ length: 40_000 }, (_, n) => `user-${n}@example.org`)
  for (const [n, name] of names.entries()) both(name, n)
  agree()
  for (const [n, name] of names.entries()) both(name, n % 3 === 0 ? undefined : -n)
  agree()
  for (const name of names) both(name, undefined)
  agree()
  both('again', 1)
  agree()
})

test('whatever a name is, it is found again, in a narrow and in a wide one', () => {
  const wide = new WideMap<string>()
  for (let n = 0; n < 20_000; n++) wide.set(String(n), 'filled')
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '')), (name) => {
      for (const map of [wide, new WideMap<string>()]) {
        const before = map.get(name)
        map.set(name, 'here')
        expect(map.get(name)).toBe('here')
        map.delete(name)
        expect(map.get(name)).toBe(undefined)
        if (before !== undefined) map.set(name, before)
      }
    }),
  )
})

test.each<[string, (n: number) => string]>([
  ['names that end differently', (n) => `user-${n}`],
  ['addresses of one domain', (n) => `user-${n}@corp.example.org`],
  ['URLs that end alike', (n) => `https://t${n}.apps.example.com/saml`],
])('no part of a wide map is large, with %s: what one map holds is moved at once', (_, nameOf) => {
  const sizes = new Map<unknown, number>()
  const { set } = Map.prototype
  try {
    Map.prototype.set = function (this: Map<unknown, unknown>, ...args) {
      const answer = set.apply(this, args) as Map<unknown, unknown>
      set.call(sizes, this, this.size)
      return answer
    }
    const wide = new WideMap<number>()
    for (let n = 0; n < 100_000; n++) wide.set(nameOf(n), n)
  } finally {
    Map.prototype.set = set
  }
  expect(Math.max(...sizes.values())).toBeLessThanOrEqual(16_384)
})
