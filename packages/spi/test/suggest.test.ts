import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearest, quote } from '../src/suggest.js'

const known = ['redis', 'memory', 'user-session', 'partitions']

test.each([
  ['reids', 'redis'],
  ['Redis', 'redis'],
  ['memroy', 'memory'],
  ['user_sessions', 'user-session'],
  ['partition', 'partitions'],
  ['redcap', undefined],
  ['x', undefined],
  ['', undefined],
  ['__proto__', undefined],
])('for %j the nearest is %j', (name, expected) => {
  expect(nearest(name, known)).toBe(expected)
})

test('a known name is always its own nearest', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{3,12}$/), { minLength: 1 }), (names) => {
      for (const name of names) expect(nearest(name, names)).toBe(name)
    }),
  )
})

test('a quoted name is one line, and no longer than a name', () => {
  expect(quote("a'b\n\u001b[31m")).toBe("'a'b??[31m'")
  expect(quote('x'.repeat(1_000))).toBe(`'${'x'.repeat(64)}…'`)
})
