import { expect, test } from 'vitest'
import { z } from 'zod'
import { parseDuration } from '../src/index.js'

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['30m', 1_800_000],
  ['12h', 43_200_000],
  ['30d', 2_592_000_000],
  ['0s', 0],
  ['1.5h', 5_400_000],
  [' 30 s ', 30_000],
  ['1.1s', 1_100],
  ['0.001s', 1],
  ['0.1m', 6_000],
])('%j is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each([
  [7],
  ['7'],
  ['30 minutes'],
  ['-30s'],
  ['30S'],
  ['m'],
  [''],
  ['1e3s'],
  ['0.4ms'],
  ['0.5ms'],
  ['1.0005s'],
  [undefined],
  [null],
  [{}],
  [true],
])('%j passes through', (value) => {
  expect(parseDuration(value)).toBe(value)
})

test('a schema behind it judges what is left', () => {
  const schema = z.preprocess(parseDuration, z.number())
  expect(schema.parse('30s')).toBe(30_000)
  expect(schema.safeParse('soon').success).toBe(false)
})
