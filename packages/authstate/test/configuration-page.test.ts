import { readFileSync } from 'node:fs'
import { resolveRealm } from '@authstate/spi'
import { describe, expect, test } from 'vitest'

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

describe('docs/configuration.md says what the code says', () => {
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
