// docs/outgoing-http.md says what the code does.
import { readFileSync } from 'node:fs'
import { describedSchema } from '@authstate/spi'
import { expect, test } from 'vitest'
import { HTTP_ERROR_CODES, httpClientConfig } from '../src/index.js'
import { PURPOSES } from '../src/profiles.js'

const page = readFileSync(new URL('../../../docs/outgoing-http.md', import.meta.url), 'utf8')

/** The rows of the first table under a heading: its first cell, and its last. */
function rowsUnder(heading: string): [string, string][] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return [...section.matchAll(/^\| `([\w-]+)` \|.*?([^|]*) \|$/gm)].map(([, name = '', last = '']) => [
    name,
    last.trim(),
  ])
}

test('every property is listed with its default', () => {
  const written = describedSchema(httpClientConfig)['~standard'].jsonSchema.input({
    target: 'draft-2020-12',
  }) as { properties: Record<string, { default?: unknown }> }
  const listed = Object.entries(written.properties).map(([name, { default: value }]) => [
    name,
    `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``,
  ])
  expect(rowsUnder('Properties').toSorted()).toEqual(listed.toSorted())
})

test('every code is listed', () => {
  const listed = rowsUnder('When there is no answer').map(([code]) => code)
  expect(listed.toSorted()).toEqual([...HTTP_ERROR_CODES].toSorted())
})

test('every purpose is listed with its limits', () => {
  const listed = Object.entries(PURPOSES).map(([purpose, limits]) => [
    purpose,
    Object.entries(limits)
      .map(([name, value]) => `\`${name}\` ${value}`)
      .join(', '),
  ])
  expect(rowsUnder('Purposes')).toEqual(listed)
})
