// docs/application-nodes.md says what the code does.
import { readFileSync } from 'node:fs'
import { describedSchema } from '@authstate/spi'
import { expect, test } from 'vitest'
import { applicationNodeConfig } from '../src/config.js'
import { applicationNodeService } from '../src/service.js'

const page = readFileSync(new URL('../../../docs/application-nodes.md', import.meta.url), 'utf8')
const sectionOf = (heading: string) => page.split(`\n### ${heading}\n`)[1]?.split('\n### ')[0] ?? ''

test('every property is listed with its default', () => {
  const written = describedSchema(applicationNodeConfig)['~standard'].jsonSchema.input({
    target: 'draft-2020-12',
  }) as { properties: Record<string, { default?: unknown }> }
  const listed = Object.entries(written.properties).map(([name, { default: value }]) => [
    name,
    `\`${value}\``,
  ])
  const rows = [...sectionOf('Properties').matchAll(/^\| `(\w+)` \|.*?([^|]*) \|$/gm)]
  expect(rows.map(([, name, last = '']) => [name, last.trim()])).toEqual(listed)
})

test('every event is listed', () => {
  const [first = ''] = sectionOf('Events').split('. Each')
  expect([...first.matchAll(/`([\w-]+)`/g)].map(([, name]) => name).slice(1)).toEqual(
    applicationNodeService.events,
  )
})
