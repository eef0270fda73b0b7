import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageFolders } from '../tools/lib/packages.mjs'
import { breaches, RULES } from './lib/source-rules.js'
import { readTracked, root } from './lib/tracked.js'

test('no tracked file breaks a rule of the house', () => {
  expect(breaches(readTracked(/\.([cm]?[jt]s|json|ya?ml|md|lua|sh)$|^\.ci\//))).toEqual([])
})

test.each([
  ['the real clock', 'packages/spi/src/a.ts', `const now = Date.${'now'}()`],
  ['a timer', 'packages/spi/src/a.ts', 'process.nextTick(work)'],
  ['a timer', 'packages/spi/src/a.ts', '  const timer = setTimeout(work, 5)'],
  ['a Redis command', 'packages/spi/src/lua/a.lua', "redis.call('SCAN', 0)"],
  ['the clock of Redis', 'packages/spi/src/lua/a.lua', "redis.call('TIME')"],
  ['an unfinished mark', 'packages/spi/src/a.ts', `// ${'TO'}DO later`],
  ['a focused', 'packages/spi/test/a.test.ts', `test.${'only'}('x', () => {})`],
  ['a path', 'docs/a.md', `see /${'home'}/me/notes`],
  ['a registry', 'docs/a.md', `from ${'https'}://registry.example.org/x`],
  ['two words', 'docs/a.md', `it ${'can'} not be read`],
  ['an address', 'pnpm-lock.yaml', `resolution: {${'tar'}ball: x}`],
])('%s… is found where it is planted', (what, path, text) => {
  expect(breaches(new Map([[path, text]]))).toEqual([expect.stringContaining(`${path}:1 ${what}`)])
})

test('every rule is planted above', () => expect(RULES).toHaveLength(10))

test('every package has a README', () => {
  expect(packageFolders().filter((folder) => !existsSync(join(root, folder, 'README.md')))).toEqual([])
})
