import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compileErrors } from './lib/compile.js'
import { brokenLinks, exampleBlocks, typescriptBlocks } from './lib/markdown.js'
import { readTracked, root, trackedPaths } from './lib/tracked.js'

const pages = readTracked(/\.md$/)
const contracts = readTracked(/^packages\/[^/]+\/src\/contract\.ts$/)
const examples = [...contracts].flatMap(([path, text]) => exampleBlocks(path, text))
const NO_SUCH_NAME = "text\n```ts\nimport { noSuchName } from '@authstate/spi'\n```\n```js\nnot read\n```\n"
const GOES_ON = '```ts\nconst a = 1\n```\n```ts continues\na.toFixed()\n```\n```ts\na.toFixed()\n```\n'

const manifests = trackedPaths.filter((path) => /^packages\/(adapters\/)?[^/]+\/package\.json$/.test(path))

let compiled: readonly string[] | undefined

/** The errors of some pages. All pages and the planted ones are compiled once, together: the compiler reads the sources each time. */
function errorsOf(isWanted: (path: string) => boolean): readonly string[] {
  const planted = [
    ['docs/no-such-name.md', NO_SUCH_NAME],
    ['docs/goes-on.md', GOES_ON],
  ] as const
  compiled ??= compileErrors(
    [...examples, ...[...pages, ...planted].flatMap(([path, text]) => typescriptBlocks(path, text))],
    manifests,
  )
  return compiled.filter((error) => isWanted(error.slice(0, error.indexOf(':'))))
}

describe('what the pages say', () => {
  test('their TypeScript compiles', { timeout: 120_000 }, () => {
    expect(errorsOf((path) => pages.has(path))).toEqual([])
  })

  test('so do the examples in the docstrings of contracts', { timeout: 120_000 }, () => {
    expect(examples.length).toBeGreaterThan(19)
    expect(errorsOf((path) => contracts.has(path))).toEqual([])
  })

  test('a realm is said once: state.realm(id), and then verbs without it', () => {
    const long = [...pages].flatMap(([path, text]) =>
      typescriptBlocks(path, text).flatMap(({ code, line }) =>
        longForms(code).map((call) => `${path}:${line} ${call}`),
      ),
    )
    expect(long).toEqual([])
  })

  test('their relative links lead somewhere', () => {
    expect(brokenLinks(pages, (path) => existsSync(join(root, path)))).toEqual([])
  })
})

/** Calls of a member of the state, or of one that was taken out of it, whose first argument is a realm. */
function longForms(code: string): string[] {
  const taken = [...code.matchAll(/const \{ ([\w, ]+) \} = state$/gm)].flatMap(([, names = '']) =>
    names.split(', '),
  )
  const owners = ['state\\.\\w+', ...taken].join('|')
  return code.match(new RegExp(`\\b(${owners})\\.\\w+\\('acme'`, 'g')) ?? []
}

describe('the checks find what is planted', () => {
  test('a realm that is said in each call', () => {
    expect(
      longForms("await state.userSessions.get('acme', id)\nstate.realm('acme').userSessions.get(id)"),
    ).toEqual(["state.userSessions.get('acme'"])
    expect(longForms("const { webSessions } = state\nawait webSessions.find('acme', id)")).toEqual([
      "webSessions.find('acme'",
    ])
  })

  test('a block with a name that does not exist', { timeout: 120_000 }, () => {
    expect(errorsOf((path) => path === 'docs/no-such-name.md')).toEqual([
      expect.stringMatching(/^docs\/no-such-name\.md:3 .*noSuchName/),
    ])
  })

  test('a block that goes on sees the one before it, another does not', { timeout: 120_000 }, () => {
    expect(errorsOf((path) => path === 'docs/goes-on.md')).toEqual([
      expect.stringMatching(/^docs\/goes-on\.md:8 .*'a'/),
    ])
  })

  test('a link to a page or a heading that is not there', () => {
    const planted = new Map([
      [
        'docs/a.md',
        '# The Title, here\n[a](b.md) [b](#the-title-here) [c](#gone) [d](https://example.org/x)\n`[e](f.md)`',
      ],
    ])
    expect(brokenLinks(planted, (path) => path === 'docs/a.md')).toEqual([
      'docs/a.md: b.md',
      'docs/a.md: #gone',
    ])
  })
})
