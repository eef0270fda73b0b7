// Holds docs/storage/<spi>.md to what is in Redis: a heading "## `kind`: …" per kind of key, and for a hash a table
// with its fields in the first column, where `c:<clientId>` stands for every field that starts with `c:`.
import { readFileSync } from 'node:fs'
import type { KeyObserver } from '@authstate/conformance'
import { expect, test } from 'vitest'

/** Kinds that are there only while several sites are kept in step, which no suite of one service does. */
const OF_SITES = /^x[sftwogacdlmvy]$/

export interface StoragePage {
  readonly observe: KeyObserver
  /** Registers the test; call it behind the cases that are observed. */
  check(): void
}

/** @param others SPIs whose keys are there, too, and are on pages of their own. */
export function storagePage(spi: string, others: readonly string[]): StoragePage {
  const seen = new Map<string, { type: string; fields: Set<string> }>()
  return {
    observe: (kind, type, fields) => {
      const entry = seen.get(kind) ?? { type, fields: new Set() }
      seen.set(kind, entry)
      for (const field of fields) entry.fields.add(field)
    },
    check: () =>
      test(`docs/storage/${spi}.md has every kind of key and every field that was seen, and no other`, () => {
        const documented = readPage(spi)
        for (const other of others) for (const kind of readPage(other).keys()) seen.delete(kind)
        const wanted = [...documented.keys()].filter((kind) => !OF_SITES.test(kind))
        expect(wanted.sort()).toEqual([...seen.keys()].sort())
        for (const [kind, { type, fields }] of seen) {
          if (type !== 'hash') continue
          const patterns = documented.get(kind) ?? []
          const named = [...fields].map(
            (field) => patterns.find((item) => matches(item, field)) ?? `undocumented: ${field}`,
          )
          expect([...new Set(named)].sort(), `fields of ${kind}`).toEqual([...patterns].sort())
        }
      }),
  }
}

function readPage(spi: string): Map<string, string[]> {
  const page = readFileSync(new URL(`../../docs/storage/${spi}.md`, import.meta.url), 'utf8')
  const sections = page.split(/^## `/m).slice(1)
  return new Map(
    sections.map((section) => {
      const fields = [...section.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1] ?? '')
      return [section.slice(0, section.indexOf('`')), fields]
    }),
  )
}

function matches(pattern: string, field: string): boolean {
  const [start = '', ...rest] = pattern.split(/<[^>]+>/)
  return rest.length === 0 ? field === pattern : field.startsWith(start) && field.endsWith(rest.at(-1) ?? '')
}
