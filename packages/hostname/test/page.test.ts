// docs/hostname.md says what the code does.
import { readFileSync } from 'node:fs'
import { describedSchema } from '@authstate/spi'
import { expect, test } from 'vitest'
import { hostnameConfig } from '../src/index.js'

const page = readFileSync(new URL('../../../docs/hostname.md', import.meta.url), 'utf8')

test('every property is listed, with its default where the schema has one', () => {
  const written = describedSchema(hostnameConfig)['~standard'].jsonSchema.input({
    target: 'draft-2020-12',
  }) as { properties: Record<string, { default?: unknown }> }
  const [, section = ''] = page.split('\n## Properties\n')
  const rows = new Map(
    [...section.matchAll(/^\| `(\w+)` \|.*\| (.*?) \|$/gm)].map(([, name = '', last = '']) => [name, last]),
  )
  expect([...rows.keys()].toSorted()).toEqual(Object.keys(written.properties).toSorted())
  for (const [name, { default: value }] of Object.entries(written.properties))
    if (value !== undefined)
      expect([name, rows.get(name)]).toEqual([
        name,
        `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``,
      ])
})
