// Writes the declarations of every package into its `dist`: one run of TypeScript over all sources, then one bundle per package.
// A build of each package by itself would read and check all packages that it imports again.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import { packageFolders } from './lib/packages.mjs'
import { root, runProgram } from './lib/run.mjs'

/** Where tsconfig.declarations.json lets TypeScript write: the declaration of each source. */
const EMITTED = join(root, '.declarations')

const FORMATS = ['ts', 'cts']

/** What a caller may import: built name to the declaration of its source. */
function entriesOf(folder) {
  const { exports = {} } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  const entries = Object.entries(exports).flatMap(([entry, target]) => {
    const source = target['@authstate/source']
    if (source === undefined) return []
    const declaration = join(EMITTED, folder, source.replace(/\.tsx?$/, '.d.ts'))
    return [[entry === '.' ? 'index' : entry.slice(2), declaration]]
  })
  return Object.fromEntries(entries)
}

async function bundle(folder) {
  const input = entriesOf(folder)
  if (Object.keys(input).length === 0) return
  const dir = join(root, folder, 'dist')
  const built = existsSync(dir) ? readdirSync(dir) : []
  for (const stale of built.filter((name) => /\.d\.c?ts$/.test(name))) rmSync(join(dir, stale))
  const bundled = await rollup({
    input,
    external: (id) => !id.startsWith('.') && !id.startsWith('/'),
    plugins: [dts()],
    onwarn: (warning) => {
      throw new Error(`${folder}: ${warning.message}`)
    },
  })
  for (const format of FORMATS) {
    await bundled.write({
      dir,
      format: 'es',
      entryFileNames: `[name].d.${format}`,
      chunkFileNames: ({ name }) => `${name.replace(/\.d$/, '')}-[hash].d.${format}`,
    })
  }
  await bundled.close()
}

rmSync(EMITTED, { recursive: true, force: true })
const { status } = await runProgram(join(root, 'node_modules', '.bin', 'tsc'), [
  '-p',
  'tsconfig.declarations.json',
])
if (status !== 0) process.exit(status)
const folders = packageFolders().filter((folder) => existsSync(join(root, folder, 'src')))
for (const folder of folders) await bundle(folder)
console.log(`declarations of ${folders.length} packages`)
