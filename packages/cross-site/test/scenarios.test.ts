import { join } from 'node:path'
import { expect, test } from 'vitest'
import { casesOf, scenarioLines } from './scenarios.mjs'

const root = join(import.meta.dirname, '..', '..', '..')

test('every scenario but those that are named here keeps a case under its number', () => {
  const held = casesOf(root)
  const without = [...held].flatMap(([number, names]) => (names.length === 0 ? [number] : []))
  expect(without).toEqual([10])
  expect(scenarioLines(root).at(-1)).toBe(
    'scenarios of several sites: 39 of 40 are held by cases with their number',
  )
})
