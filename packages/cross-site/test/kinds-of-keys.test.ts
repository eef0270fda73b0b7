// What sites keep lies under kinds of keys that no service has: another type of value below one key would stop both.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const read = (page: string) => readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', page), 'utf8')

test('no service has a kind of keys that sites have', () => {
  const ofServices = new Set(
    [...read('storage.md').matchAll(/^\| \[[\w-]+\]\(storage\/[^|]+\| (.+) \|$/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([\w-]+)`/g)].map(([, kind = '']) => kind),
    ),
  )
  const ofSites = [...read('storage/cross-site.md').matchAll(/^## `(\w+)`/gm)].map(([, kind = '']) => kind)
  expect(ofServices.size).toBeGreaterThan(40)
  expect(ofSites).toEqual(expect.arrayContaining(['xa', 'xb', 'xp']))
  expect(ofSites.filter((kind) => ofServices.has(kind))).toEqual([])
})
