import { expect, test } from 'vitest'
import { assertKnown, assertOptions, type Known } from '../src/index.js'

interface Options {
  readonly limit: number
  readonly cursor?: string | undefined
}
const NAMES: Known<Options> = { limit: true, cursor: true }

test('what is known passes, in part and whole', () => {
  for (const options of [{}, { limit: 1 }, { cursor: 'a', limit: 1 }, { cursor: undefined }]) {
    expect(() => assertKnown(options, 'options', NAMES)).not.toThrow()
  }
  expect(() => assertKnown(Object.create(null), 'options', NAMES)).not.toThrow()
})

test.each([
  [
    'misspelt',
    { limits: 1 },
    `"options" has no property 'limits'. Known: 'limit', 'cursor'. Did you mean 'limit'?`,
  ],
  [
    'in another case',
    { Cursor: 'a' },
    `"options" has no property 'Cursor'. Known: 'limit', 'cursor'. Did you mean 'cursor'?`,
  ],
  [
    'of nothing',
    { limits: undefined },
    `"options" has no property 'limits'. Known: 'limit', 'cursor'. Did you mean 'limit'?`,
  ],
  ['foreign', { colour: 1 }, `"options" has a property that is unknown. Known: 'limit', 'cursor'.`],
  ['that every object has', { constructor: 1 }, /^"options" has a property that is unknown\./],
  [
    'that is a prototype elsewhere',
    JSON.parse('{"__proto__":1}'),
    /^"options" has a property that is unknown\./,
  ],
  ['that is inherited', Object.create({ limits: 1 }), /^"options" has no property 'limits'\./],
])('a name %s is refused', (_, options, message) => {
  expect(() => assertKnown(options, 'options', NAMES)).toThrow(TypeError)
  expect(() => assertKnown(options, 'options', NAMES)).toThrow(message)
})

test('of options that an application is built with every name is told', () => {
  expect(() => assertOptions({ colour: 1 }, 'options', NAMES)).toThrow(
    `"options" has no property 'colour'. Known: 'limit', 'cursor'.`,
  )
  expect(() => assertOptions({ limit: 1 }, 'options', NAMES)).not.toThrow()
})

test('a value is never told', () => {
  expect(() => assertKnown({ limits: 'hunter2' }, 'options', NAMES)).not.toThrow(/hunter2/)
})

test('what is no object is refused as ever', () => {
  for (const wrong of [undefined, null, 'a', 5, []]) {
    expect(() => assertKnown(wrong, 'options', NAMES)).toThrow('"options" must be an object')
  }
})

test('what other code adds to every object makes none of them wrong', () => {
  const everything = Object.prototype as unknown as Record<string, unknown>
  everything['addedByOtherCode'] = 1
  try {
    expect(() => assertKnown({ limit: 1 }, 'options', NAMES)).not.toThrow()
    expect(() => assertOptions({ addedByOtherCode: 1 }, 'options', NAMES)).toThrow(/addedByOtherCode/)
  } finally {
    delete everything['addedByOtherCode']
  }
})

test('a list of names that lacks one, or has one too many, does not compile', () => {
  const lists: Known<Options>[] = [
    // @ts-expect-error one is missing
    { limit: true },
    // @ts-expect-error one is none
    { limit: true, cursor: true, colour: true },
  ]
  expect(lists).toHaveLength(2)
})
