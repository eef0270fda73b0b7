// The runbook says what to do about each check of the doctor and each alert, and about nothing else.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CHECKS } from '../src/doctor/examine.js'

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const page = read('docs/runbook.md')

/** The first cells of the table below a heading. */
function rowsBelow(heading: string): string[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`)
  const [table = ''] = section.split('\n## ')
  return [...table.matchAll(/^\| `([\w.-]+)` \| \S.* \| \S.* \|$/gm)].map(([, name = '']) => name)
}

test('each check of the doctor has a row, in the same order', () => {
  expect(rowsBelow('Findings of the doctor')).toEqual(CHECKS.map(({ id }) => id))
})

test('each alert has a row, in the same order', () => {
  const names = [...read('packages/telemetry/alerts.yaml').matchAll(/- alert: (\w+)/g)].map(
    ([, name]) => name,
  )
  expect(names.length).toBeGreaterThan(5)
  expect(rowsBelow('Alerts')).toEqual(names)
})
