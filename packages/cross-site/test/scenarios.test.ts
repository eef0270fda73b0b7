import { join } from 'node:path'
import { expect, test } from 'vitest'
import { casesOf, scenarioLines } from './scenarios.mjs'

const root = join(import.meta.dirname, '..', '..', '..')

test('every scenario that has a case keeps one, under its number', () => {
  const held = [...casesOf(root)].flatMap(([number, names]) => (names.length > 0 ? [number] : []))
  expect(held).toEqual(
    expect.arrayContaining([
      3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 18, 19, 27, 28, 29, 30, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    ]),
  )
  expect(scenarioLines(root).at(-1)).toBe(
    `scenarios of several sites: ${held.length} of 40 are held by cases with their number`,
  )
})
