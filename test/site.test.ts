// What the docs site makes of the pages of the repository. `npm run docs` builds it; here only what it is built of is looked at.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
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

test('each question has an answer of two sentences, and a link to the section that answers it in full', () => {
  const text = pages.get('docs/questions.md') ?? ''
  const questions = text.split(/^## /m).slice(1)
  expect(questions.length).toBeGreaterThan(9)
  for (const question of questions) {
    const [title = '', ...rest] = question.split('\n')
    const [answer = '', link = ''] = rest.join(' ').split('→')
    const sentences = answer.trim().split(/(?<=\.) (?=[A-Z`[])/)
    expect(title).toMatch(/\?$/)
    expect([title, sentences.length, link.trim()]).toEqual([
      title,
      2,
      expect.stringMatching(/^\[.+\]\(.+\.md.*\)$/),
    ])
  }
  expect(pages.get('README.md')).toContain('](docs/questions.md)')
})

/** How bright a colour is, as WCAG 2 reckons it. */
const brightness = (color: string) => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
const contrast = (one: string, other: string) => {
  const [dark = 0, light = 0] = [brightness(one), brightness(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

test.each(readdirSync(join(root, 'docs/pictures')))('%s is read on a dark page too', (name) => {
  const svg = readFileSync(join(root, 'docs/pictures', name), 'utf8')
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []
  // The first thing drawn is a ground below all of it, so that the colour of the page is not seen.
  const [ground = ''] = /<rect [^>]*>/.exec(svg) ?? []
  expect(ground).toContain(`width="${width}" height="${height}"`)
  const grounds = [...svg.matchAll(/<rect [^>]*fill="(#\w{6})"/g)].map(([, fill = '']) => fill)
  const inks = [...svg.matchAll(/<text [^>]*?fill="(#\w{6})"/g)].map(([, fill = '']) => fill)
  expect(inks).not.toEqual([])
  expect(inks).toHaveLength(svg.split('<text ').length - 1)
  for (const ink of new Set(inks))
    for (const below of new Set(grounds))
      expect([ink, below, contrast(ink, below) >= 4.5]).toEqual([ink, below, true])
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
