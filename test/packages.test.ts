// What the tools of this repository take for a package.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { packageFolders } from '../tools/lib/packages.mjs'
import { root } from './lib/tracked.js'

const repository = mkdtempSync(join(tmpdir(), 'authstate-packages-'))
afterAll(() => rmSync(repository, { recursive: true }))

test('a folder with a manifest, in packages or in packages/adapters', () => {
  for (const folder of ['packages/spi', 'packages/adapters/express-session', 'packages/left-behind/dist']) {
    mkdirSync(join(repository, folder), { recursive: true })
  }
  for (const folder of ['packages/spi', 'packages/adapters/express-session', 'examples/x']) {
    mkdirSync(join(repository, folder), { recursive: true })
    writeFileSync(join(repository, folder, 'package.json'), '{}')
  }
  expect(packageFolders(repository)).toEqual(['packages/spi', 'packages/adapters/express-session'])
})

test('adapters are no must', () => {
  rmSync(join(repository, 'packages', 'adapters'), { recursive: true })
  expect(packageFolders(repository)).toEqual(['packages/spi'])
})

// These are read by programs that know no function of ours.
test.each([
  ['pnpm-workspace.yaml', ['  - packages/*\n', '  - packages/adapters/*\n']],
  ['tsconfig.json', ['"packages/*/src"', '"packages/adapters/*/src"', '"packages/adapters/*/test"']],
  ['tsconfig.reference.json', ['"packages/*/src"', '"packages/adapters/*/src"']],
  ['biome.json', ['"packages/*/src/**"', '"packages/adapters/*/src/**"']],
])('%s names both', (file, lines) => {
  const text = readFileSync(join(root, file), 'utf8')
  for (const line of lines) expect(text).toContain(line)
})
