// One version for all packages, and no change of the API without a changeset.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { changesetFault, compareReports } from '../tools/lib/api-report.mjs'
import { nextVersion, parseChangeset, readChangesets, releasedChangelog } from '../tools/lib/changesets.mjs'
import { releaseFaults } from '../tools/lib/release-faults.mjs'
import { root } from './lib/tracked.js'

const bumps = (...names: ('patch' | 'minor' | 'major')[]) => names.map((bump) => ({ bump }))

describe('the next version', () => {
  test.each([
    ['0.1.0', bumps('minor'), '0.2.0'], // and not 1.0.0, which packages with a peer of ours would make of it
    ['0.1.0', bumps('patch', 'minor'), '0.2.0'],
    ['0.1.0', bumps('patch', 'patch'), '0.1.1'],
    ['0.9.3', bumps('major'), '0.10.0'],
    ['1.2.3', bumps('major', 'patch'), '2.0.0'],
    ['1.2.3', bumps('minor'), '1.3.0'],
    ['1.2.3', bumps('patch'), '1.2.4'],
    ['0.2.0', [], '0.2.0'],
  ])('of %s', (version, changesets, expected) => {
    expect(nextVersion(version, changesets)).toBe(expected)
  })

  test('is 1.0.0 where that is asked for', () => {
    expect(nextVersion('0.7.1', bumps('patch'), { first: true })).toBe('1.0.0')
    expect(nextVersion('1.2.3', bumps('patch'), { first: true })).toBe('1.2.4')
  })
})

describe('a changeset', () => {
  test('names packages, and the largest bump among them counts', () => {
    const text = '---\n"authstate": minor\n\'@authstate/redis\': patch\n---\n\nFaster.\n'
    expect(parseChangeset('a.md', text)).toEqual({
      file: 'a.md',
      names: ['authstate', '@authstate/redis'],
      bump: 'minor',
      words: 'Faster.',
    })
  })

  test.each([
    ['Faster.', /two lines of ---/],
    ['---\n"authstate": huge\n---\nFaster.', /"authstate": huge/],
  ])('that is none says what is wrong: %j', (text, expected) => {
    expect(() => parseChangeset('a.md', text)).toThrow(expected)
  })

  test('of this repository names packages that there are', () => {
    for (const { names } of readChangesets(join(root, '.changeset'))) expect(names).toContain('authstate')
  })
})

describe('the changelog', () => {
  const changesets = [parseChangeset('a.md', '---\n"authstate": patch\n---\nMended.\nAnd how.')]

  test('closes the section of what is not released yet', () => {
    expect(releasedChangelog('# C\n\n## 0.2.0, not released\n\nx\n', '0.2.0', changesets)).toBe(
      '# C\n\n## 0.2.0\n\nx\n',
    )
  })

  test('gets a section of the words of the changesets where it has none', () => {
    expect(releasedChangelog('# C\n\n## 0.2.0\n\nx\n', '0.2.1', changesets)).toBe(
      '# C\n\n## 0.2.1\n\n- Mended.\n  And how.\n\n## 0.2.0\n\nx\n',
    )
  })

  test('says when its section is of another version than the changesets make', () => {
    expect(() => releasedChangelog('## 0.3.0, not released\n', '0.2.1', changesets)).toThrow(/0\.3\.0/)
  })

  test('of this repository has the section that a release will need', () => {
    const page = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
    const { version } = JSON.parse(readFileSync(join(root, 'packages/authstate/package.json'), 'utf8')) as {
      version: string
    }
    const pending = readChangesets(join(root, '.changeset'))
    const next = nextVersion(version, pending)
    expect(releasedChangelog(page, next, pending)).toMatch(new RegExp(`^## ${next}$`, 'm'))
  })
})

describe('the API', () => {
  const before = new Map([['a.txt', 'Function f(): void\nFunction g(): void\n']])
  const differencesTo = (text: string) => compareReports(before, new Map([['a.txt', text]]))

  test('that is the same needs no changeset', () => {
    expect(differencesTo('Function f(): void\nFunction g(): void\n')).toEqual([])
    expect(changesetFault([], [], '0.1.0')).toBeUndefined()
  })

  test('that has more needs one', () => {
    const differences = differencesTo('Function f(): void\nFunction g(): void\nFunction h(): void\n')
    expect(differences).toEqual([{ file: 'a.txt', gone: [], added: ['Function h(): void'] }])
    expect(changesetFault(differences, [], '0.1.0')).toMatch(/add a changeset/)
    expect(changesetFault(differences, bumps('patch'), '0.1.0')).toBeUndefined()
  })

  test('that has less, or something else, needs one that says so', () => {
    const differences = differencesTo('Function f(): number\n')
    expect(differences[0]?.gone).toEqual(['Function f(): void', 'Function g(): void'])
    expect(changesetFault(differences, bumps('patch'), '0.1.0')).toMatch(/minor or major/)
    expect(changesetFault(differences, bumps('minor'), '0.1.0')).toBeUndefined()
    expect(changesetFault(differences, bumps('minor'), '1.4.0')).toMatch(/must be major/)
  })
})

describe('a release', () => {
  const manifest = {
    name: 'authstate',
    version: '0.2.0',
    publishConfig: { access: 'public' },
    repository: { url: 'git+https://github.com/authstate/authstate.git' },
  }
  const good = {
    packages: [{ manifest }],
    changelog: '# Changelog\n\n## 0.2.0\n\nFaster.\n',
    address: "export const ERRORS_ADDRESS = 'https://docs.example.org/errors/'",
    changesets: [],
    changed: [],
  }

  test('that has everything is not refused', () => expect(releaseFaults(good, false)).toEqual([]))

  test.each([
    [
      'two versions',
      { packages: [{ manifest }, { manifest: { ...manifest, version: '0.1.0' } }] },
      /0\.2\.0, 0\.1\.0/,
    ],
    ['a version without a section', { changelog: '## 0.2.0, not released\n' }, /no section "## 0\.2\.0"/],
    [
      'a package that is not public',
      { packages: [{ manifest: { ...manifest, publishConfig: {} } }] },
      /set publishConfig/,
    ],
  ])('with %s is refused, and its dry run', (_, fault, sentence) => {
    expect(releaseFaults({ ...good, ...fault }, false)).toEqual([expect.stringMatching(sentence)])
    expect(releaseFaults({ ...good, ...fault }, true)).toEqual([expect.stringMatching(sentence)])
  })

  test.each([
    ['a change that is not committed', { changed: ['README.md'] }, /such as README\.md: commit/],
    [
      'a version that was not raised',
      { changesets: ['faster.md'] },
      /faster\.md is not released: run npm run release:version/,
    ],
    [
      'the placeholder of the docs site',
      { address: 'https://authstate.example/errors/' },
      /write the address/,
    ],
    [
      'a package without a repository',
      { packages: [{ manifest: { ...manifest, repository: {} } }] },
      /add "repository"/,
    ],
  ])('with %s is refused, and its dry run is not', (_, fault, sentence) => {
    expect(releaseFaults({ ...good, ...fault }, false)).toEqual([expect.stringMatching(sentence)])
    expect(releaseFaults({ ...good, ...fault }, true)).toEqual([])
  })
})
