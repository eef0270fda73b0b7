// A service is described in its own folder. Outside of it few files may name it, so that a new one costs its folder and a line.
import { describe, expect, test } from 'vitest'
import { services } from '../packages/authstate/src/services.js'
import { filesThatName } from './lib/spi-names.js'
import { readTracked } from './lib/tracked.js'

/** Sources of packages, manifests, tools and the support of tests; no audit, no operations with their skins, adapter, example, benchmark or test,
 * and not the run beside an earlier version, which asks its services one by one. */
const files = readTracked(
  /^(packages\/(?!(?:audit|operations|cli|console|cross-site|telemetry)\/)[^/]+\/(package\.json|tsup\.config\.ts|src\/.+\.ts)|tools\/(?!rolling[./]).+\.m?ts|tools\/(?!rolling\.mjs).+\.mjs|test\/lib\/.+\.ts|package\.json|[a-z.]+\.config\.[jt]s)$/,
)
const spis = services.filter(({ member }) => member !== undefined).map(({ name }) => name)

test('the files that are looked at are there', () => {
  for (const path of [
    'package.json',
    'packages/authstate/package.json',
    'tools/lib/budgets.mjs',
    'vitest.config.ts',
  ])
    expect(files.has(path), path).toBe(true)
  expect(spis.length).toBeGreaterThan(7)
})

test.each(spis)('at most three files outside of its package name %s', (spi) => {
  const found = filesThatName(files, spi)
  expect(found).toContain('packages/authstate/src/services.ts')
  expect(found, found.join('\n')).toHaveLength(Math.min(3, found.length))
})

describe('the search finds what is planted', () => {
  const found = (path: string, text: string, spi = 'web-session'): string[] =>
    filesThatName(new Map([[path, text]]), spi)

  test.each([
    ['an import', 'tools/a.mjs', "import { x } from '@authstate/web-session/redis'"],
    ['an import() of a type', 'tools/a.ts', "type X = import('@authstate/web-session').X"],
    ['a literal', 'packages/redis/src/a.ts', "const spi = ['web-session']"],
    ['a name of a property', 'packages/redis/src/a.ts', "const spi = { 'web-session': 1 }"],
    ['a text that quotes it', 'packages/redis/src/a.ts', 'throw new Error(\'"web-session" is none\')'],
    [
      'a manifest',
      'packages/authstate/package.json',
      '{ "dependencies": { "@authstate/web-session": "1" } }',
    ],
  ])('%s', (_, path, text) => expect(found(path, text)).toEqual([path]))

  test.each([
    ['a comment', 'tools/a.mjs', "// 'web-session'\n/** `web-session` */"],
    ['its own package', 'packages/web-session/src/a.ts', "const spi = 'web-session'"],
    ['another name', 'tools/a.mjs', "import '@authstate/web-session-x'; const a = 'my-web-session'"],
    [
      'what is written',
      'tools/a.ts',
      "// Written by `npm run sync`.\nexport * from '@authstate/web-session'",
    ],
  ])('not %s', (_, path, text) => expect(found(path, text)).toEqual([]))

  test('a name that is a word of Redis counts as an import only', () => {
    expect(found('tools/a.mjs', "start('cluster')", 'cluster')).toEqual([])
    expect(found('tools/a.mjs', "import '@authstate/cluster'", 'cluster')).toEqual(['tools/a.mjs'])
  })
})
