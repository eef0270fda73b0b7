// What the docs site makes of the pages of the repository. `npm run docs` builds it; here only what it is built of is looked at.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sitePages } from '../tools/lib/site.mjs'
import { SECTIONS, sectionsOf, sitePathOf } from '../tools/site/contents.mjs'
import { anchorOf, llmsText, sitePage, summaryOf, titleOf } from '../tools/site/markdown.mjs'
import { root } from './lib/tracked.js'

const pages = sitePages()
const sections = sectionsOf([...pages.keys()])

test('each page that a section names is there, once', () => {
  const named = SECTIONS.flatMap((section) => section.pages)
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
  expect(new Set(named).size).toBe(named.length)
})

test('each page is shown once, under an address of its own, with a title and a summary', () => {
  const shown = sections.flatMap((section) => section.pages)
  expect([...shown].sort()).toEqual([...pages.keys()].sort())
  expect(new Set(shown.map(sitePathOf)).size).toBe(shown.length)
  for (const [path, text] of pages) {
    expect([path, titleOf(text), summaryOf(text)]).toEqual([
      path,
      expect.stringMatching(/\w/),
      expect.stringMatching(/\w/),
    ])
  }
})

test('the list for language models has each page', () => {
  const list = llmsText(sections, pages)
  for (const path of pages.keys()) expect(list).toContain(`](/${sitePathOf(path)}.md): `)
})

test('pictures are what the script draws', () => {
  const drawn = spawnSync(process.execPath, ['tools/pictures.mjs', '--check'], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(drawn.stderr).toBe('')
})

describe('a page on the site', () => {
  const known = new Map([
    ['docs/a.md', ''],
    ['packages/adapters/b/README.md', ''],
    ['SECURITY.md', ''],
  ])
  const shown = (text: string) => sitePage('docs/c.md', text, known)

  test.each([
    ['[x](a.md#some-where)', '[x](/a#some-where)'],
    ['[`x`](../packages/adapters/b/README.md)', '[`x`](/packages/b)'],
    ['[x](../SECURITY.md) and [y](#here)', '[x](/security) and [y](#here)'],
    ['![x](pictures/p.svg)', '![x](/pictures/p.svg)'],
    ['[x](https://example.org/a.md)', '[x](https://example.org/a.md)'],
    ['[x](../src/a.ts) stays text', 'x stays text'],
    ['`[x](a.md)`', '`[x](a.md)`'],
    ['```ts\n[x](a.md)\n```\n', '```ts\n[x](a.md)\n```\n'],
    ['```acl\nuser\n```\n', '```text\nuser\n```\n'],
  ])('%s', (text, expected) => expect(shown(text)).toBe(expected))

  test('an anchor is spelled as GitHub spells it', () => {
    expect(anchorOf('A Redis that says `nothing`, at all')).toBe('a-redis-that-says-nothing-at-all')
  })
})
