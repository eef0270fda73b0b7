import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { bundle, bundleText } from '../tools/testing/bundle.js'
import { startChild } from '../tools/testing/child.js'
import { root } from './lib/tracked.js'

const folder = mkdtempSync(join(tmpdir(), 'authstate-bundle-'))
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}

test('a program has its packages from source, .lua files as text, and the manifest of its package above it', async () => {
  const lua = 'return redis.call(\'GET\', KEYS[1]) -- "quoted"\n'
  write('package.json', '{"name":"of-the-program"}')
  write('x.lua', lua)
  const program = write(
    'src/program.ts',
    `import { createRequire } from 'node:module'
    import text from '../x.lua'
    const { name } = createRequire(import.meta.url)('../package.json') as { name: string }
    console.log(JSON.stringify({ text, name, given: process.argv[2] }))`,
  )
  const said = await startChild(program, ['this']).finished()
  expect(JSON.parse(said)).toEqual({ text: lua, name: 'of-the-program', given: 'this' })
})

test('it is bundled once in a run, and programs that belong together share what they import', async () => {
  const shared = write('shared.ts', 'export class Shared {}')
  const item = write(
    'one.ts',
    `import { Shared } from './shared.js'\nexport const made: Shared = new Shared()`,
  )
  const other = write(
    'other.ts',
    `import { Shared } from './shared.js'
    const { made } = await import(process.argv[2] as string)
    console.log(made instanceof Shared)`,
  )
  const [oneBundled = '', otherBundled = ''] = bundle(item, other)
  expect(await startChild(otherBundled, [oneBundled]).finished()).toBe('true\n')
  writeFileSync(shared, 'throw new Error("read again")')
  expect(bundle(item, other)).toEqual([oneBundled, otherBundled])
})

test('a program in no file imports what a file of its folder could', async () => {
  const program = bundleText(
    `import { ProviderClosedError } from '@authstate/spi'\nconsole.log(ProviderClosedError.name as string)`,
    join(root, 'packages', 'redis'),
  )
  expect(await startChild(program).finished()).toBe('ProviderClosedError\n')
})

test('what cannot be bundled says why', () => {
  const program = write('broken.ts', `import './no-such-file.js'`)
  expect(() => bundle(program)).toThrow(/no-such-file/)
})
