import { readFileSync } from 'node:fs'
import { resolveRealm, type StandardSchemaV1 } from '@authstate/spi'
import { describe, expect, test } from 'vitest'
import { services } from '../src/services.js'

const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')

interface Row {
  readonly name: string
  readonly whenAbsent: string
}

/** The rows of the table under a heading. */
function rowsUnder(heading: string): Row[] {
  const section = new RegExp(`^#+ ${heading}\\n([\\s\\S]*?)(?=^#|$(?![\\s\\S]))`, 'm').exec(page)?.[1] ?? ''
  return [...section.matchAll(/^\| `(\w+)` \|.*\| (.*?) ?\|$/gm)].map(([, name = '', cell = '']) => ({
    name,
    whenAbsent: cell,
  }))
}

/** A schema that can write JSON Schema. */
interface Schema extends StandardSchemaV1 {
  readonly '~standard': StandardSchemaV1['~standard'] & {
    readonly jsonSchema: { input(options: object): { readonly properties?: object } }
  }
}

interface Listed {
  readonly default?: unknown
}

/** What the schemas of an SPI's providers list, with the defaults they write down. */
function listedBy(schemas: readonly Schema[]): Map<string, Listed> {
  const listed = new Map<string, Listed>()
  for (const schema of schemas) {
    const written = schema['~standard'].jsonSchema.input({
      target: 'draft-2020-12',
      libraryOptions: { errorMode: 'ignore' },
    })
    for (const [name, property] of Object.entries(written.properties ?? {}))
      listed.set(name, property as Listed)
  }
  return listed
}

const bySpi = new Map<string, Schema[]>()
const stores = services.flatMap((service) => Object.values(service.stores))
for (const { spi, config } of await Promise.all(stores.map((load) => load()))) {
  bySpi.set(spi.name, [...(bySpi.get(spi.name) ?? []), ...(config === undefined ? [] : [config as Schema])])
}

describe('docs/configuration.md says what the schemas say', () => {
  test.each([...bySpi])('%s', (spi, schemas) => {
    const rows = rowsUnder(spi)
    const listed = listedBy(schemas)
    expect(rows.map(({ name }) => name).sort()).toEqual([...listed.keys()].sort())
    for (const { name, whenAbsent } of rows) {
      const { default: value } = listed.get(name) ?? {}
      const shown = /^`(.*)`$/.exec(whenAbsent)?.[1]
      // A default that is a code span is the schema's; any other is in words, and the schema has none.
      if (value !== undefined)
        expect([name, shown]).toEqual([name, typeof value === 'string' ? value : JSON.stringify(value)])
    }
  })

  test('the settings of a realm', () => {
    const rows = rowsUnder('Settings of a realm')
    const { settings: _, ...realm }: Record<string, unknown> = { ...resolveRealm(undefined) }
    const names = Object.keys(realm).map((name) => (name === 'client' ? 'clients' : name))
    expect(rows.map(({ name }) => name).sort()).toEqual(names.sort())
    const units = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }
    for (const { name, whenAbsent } of rows) {
      const [, count, unit] = /^(\d+) (minute|hour|day)s?$/.exec(whenAbsent) ?? []
      if (count !== undefined)
        expect([name, realm[name]]).toEqual([name, Number(count) * units[unit as keyof typeof units]])
      else if (/^`.*`$/.test(whenAbsent)) expect([name, `\`${realm[name]}\``]).toEqual([name, whenAbsent])
      else if (name.endsWith('Ms')) expect([name, realm[name]]).toEqual([name, 0])
    }
  })
})

test.each(['action-token', 'auth-session', 'login-failure', 'sticky-session-encoder', 'user-session'])(
  'the README of %s lists the same properties',
  (spi) => {
    const readme = readFileSync(new URL(`../../${spi}/README.md`, import.meta.url), 'utf8')
    const [, table = ''] = /^\| property \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)/m.exec(readme) ?? []
    const cells = table.trim().split('\n')
    const names = cells.flatMap((row) => (row.split('|')[1] ?? '').match(/\w+(?=`)/g) ?? [])
    expect(names.toSorted()).toEqual([...listedBy(bySpi.get(spi) ?? []).keys()].toSorted())
  },
)
