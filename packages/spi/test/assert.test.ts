import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  assertBoolean,
  assertFunction,
  assertInstant,
  assertInteger,
  assertName,
  assertNames,
  assertNotes,
  assertNotesPatch,
  assertObject,
  assertOneOf,
  assertOptionalName,
  assertPastInstant,
  assertSpanMs,
  assertText,
} from '../src/index.js'
import { DEFAULT_MAX_NOTES_BYTES, MAX_NAME_BYTES } from '../src/internal.js'

type Guard = (value: unknown, name: string) => void
const LONE = 'a\ud800b'
const own = JSON.parse('{"__proto__":"x"}') as object

const guards: [string, Guard, unknown[], [unknown, typeof TypeError | typeof RangeError][]][] = [
  [
    'assertText',
    assertText,
    ['', 'x', '😀:{}%'],
    [
      [7, TypeError],
      [LONE, TypeError],
      [undefined, TypeError],
    ],
  ],
  [
    'assertName',
    assertName,
    ['x', '😀:{}% ', 'a'.repeat(512), 'é'.repeat(256)],
    [
      ['', TypeError],
      ['a'.repeat(513), TypeError],
      ['é'.repeat(257), TypeError],
      [LONE, TypeError],
      [null, TypeError],
    ],
  ],
  [
    'assertOptionalName',
    assertOptionalName,
    [undefined, 'x'],
    [
      ['', TypeError],
      [null, TypeError],
    ],
  ],
  [
    'assertSpanMs',
    assertSpanMs,
    [1, Number.MAX_SAFE_INTEGER],
    [
      [0, RangeError],
      [-1, RangeError],
      [1.5, RangeError],
      [Number.POSITIVE_INFINITY, RangeError],
      [Number.NaN, TypeError],
      ['1', TypeError],
    ],
  ],
  [
    'assertInstant',
    assertInstant,
    [0, 1],
    [
      [-1, RangeError],
      [0.5, RangeError],
      [Number.NaN, TypeError],
      [new Date(), TypeError],
    ],
  ],
  [
    'assertInteger',
    (value, name) => assertInteger(value, name, 1, 3),
    [1, 3],
    [
      [0, RangeError],
      [4, RangeError],
      [2.5, RangeError],
      ['2', TypeError],
    ],
  ],
  [
    'assertBoolean',
    assertBoolean,
    [true, false],
    [
      [0, TypeError],
      ['true', TypeError],
    ],
  ],
  [
    'assertFunction',
    assertFunction,
    [() => {}],
    [
      [{}, TypeError],
      [undefined, TypeError],
    ],
  ],
  [
    'assertObject',
    assertObject,
    [{}, new Map()],
    [
      [[], TypeError],
      [null, TypeError],
      ['x', TypeError],
    ],
  ],
  [
    'assertOneOf',
    (value, name) => assertOneOf(value, name, ['a', 'b']),
    ['a'],
    [
      ['c', TypeError],
      [undefined, TypeError],
    ],
  ],
  [
    'assertNames',
    assertNames,
    [[], ['a']],
    [
      ['a', TypeError],
      [['a', ''], TypeError],
      [[7], TypeError],
    ],
  ],
  [
    'assertNotes',
    assertNotes,
    [{}, { a: '' }, { constructor: 'x' }, { a: 'x'.repeat(DEFAULT_MAX_NOTES_BYTES - 1) }],
    [
      [{ a: 1 }, TypeError],
      [{ a: null }, TypeError],
      [{ '': 'x' }, TypeError],
      [own, TypeError],
      [{ a: LONE }, TypeError],
      [{ [LONE]: 'a' }, TypeError],
      [{ a: 'x'.repeat(DEFAULT_MAX_NOTES_BYTES) }, RangeError],
      [[], TypeError],
    ],
  ],
  [
    'assertNotesPatch',
    assertNotesPatch,
    [{ a: null, b: 'x' }],
    [
      [{ a: undefined }, TypeError],
      [own, TypeError],
    ],
  ],
]

describe.each(guards)('%s', (_name, guard, good, bad) => {
  test('lets what is right pass', () => {
    for (const value of good) expect(() => guard(value, 'argument')).not.toThrow()
  })

  test('names the argument in quotes', () => {
    for (const [value, kind] of bad) {
      let error: unknown
      try {
        guard(value, 'argument')
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(kind)
      expect((error as Error).message).toMatch(/^"argument[^"]*" /)
    }
  })
})

test('a name is measured in bytes of UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 600 }), (text) => {
      const fits = Buffer.byteLength(text) <= MAX_NAME_BYTES
      if (fits) expect(() => assertName(text, 'x')).not.toThrow()
      else expect(() => assertName(text, 'x')).toThrow(TypeError)
    }),
  )
})

test('no guard shows the text it refuses', () => {
  for (const value of [`hunter2${'x'.repeat(600)}`, `hunter2${LONE}`]) {
    for (const guard of [assertName, assertSpanMs, assertBoolean, assertNames, assertObject] as Guard[]) {
      expect(() => guard(value, 'argument')).toThrow(/^(?!.*hunter2)/)
    }
  }
})

test('assertPastInstant: what another node may have read just now is not in the future', () => {
  const now = 1_700_000_000_000
  const exact = { now: () => now }
  expect(() => assertPastInstant(now, 'at', exact)).not.toThrow()
  expect(() => assertPastInstant(now + 1, 'at', exact)).toThrow(
    '"at" must not lie in the future, got 1 ms ahead of the clock of the state',
  )
  const measured = { now: () => now, uncertaintyMs: 2.25 }
  expect(() => assertPastInstant(now + 5, 'at', measured)).not.toThrow()
  expect(() => assertPastInstant(now + 6, 'at', measured)).toThrow(RangeError)
  expect(() => assertPastInstant('now', 'at', exact)).toThrow(TypeError)
})
