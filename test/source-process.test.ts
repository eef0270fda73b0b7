import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { sourceFlags } from '../tools/lib/source.mjs'
import { root } from './lib/tracked.js'

const dir = await mkdtemp(join(tmpdir(), 'authstate-source-'))
afterAll(() => rm(dir, { recursive: true }))

test('a child process reads the packages from source, and .lua files as text', async () => {
  const lua = 'return redis.call(\'GET\', KEYS[1]) -- "quoted"\n'
  await writeFile(join(dir, 'x.lua'), lua)
  await writeFile(
    join(dir, 'x.mts'),
    "import text from './x.lua'\nexport const value: { text: string } = { text }\n",
  )
  const program = `
    import { value } from ${JSON.stringify(pathToFileURL(join(dir, 'x.mts')).href)}
    console.log(JSON.stringify({ text: value.text, spi: import.meta.resolve('@authstate/spi') }))`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...sourceFlags, '--input-type=module', '--eval', program],
    { cwd: join(root, 'packages', 'redis') },
  )
  expect(JSON.parse(stdout)).toEqual({
    text: lua,
    spi: pathToFileURL(join(root, 'packages', 'spi', 'src', 'index.ts')).href,
  })
})
