// What an application carries that bundles one state in memory: minified, with every dependency, without an optional peer.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { packageFolders } from './packages.mjs'
import { root } from './run.mjs'

const KIB = 1024

/** Most KiB of one SPI in memory. */
const MOST_OF_SPI = 60

/** Most KiB, by package and what is imported of it. */
const BUDGETS = [
  ...packageFolders().flatMap((folder) => memoryFactories(folder).map((name) => [folder, name, MOST_OF_SPI])),
  // What it loads at its start, and what it has loaded once every service runs in memory.
  ['packages/authstate', 'createAuthState', 90],
  ['packages/authstate', 'createAuthState', 255, { inMemory: true }],
]

/** The factory of the store in memory that a service names; none where it names none. */
function memoryFactories(folder) {
  const service = join(root, folder, 'src', 'service.ts')
  if (!existsSync(service)) return []
  return readFileSync(service, 'utf8').match(/(?<=import\('\.\/memory\.js'\)\)\.)memory\w+/g) ?? []
}

/** The late part of a service that keeps its state in memory. */
const MEMORY_STORE = /(?:^|\/)memory[.\w-]*\.js$/

/** What an application has in any case that adds this package to the front door. */
function presupposedBy(folder) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  return dependencies.authstate === undefined ? [] : ['authstate', 'authstate/*']
}

/** Bytes of what a program loads that imports one name of a built package: at its start, or once it runs in memory. */
async function bytesOf(folder, name, inMemory) {
  const out = mkdtempSync(join(tmpdir(), 'authstate-budget-'))
  try {
    const { metafile } = await build({
      stdin: {
        contents: `import { ${name} } from './dist/index.js'\nglobalThis.kept = ${name}`,
        resolveDir: join(root, folder),
        sourcefile: 'budget.mjs',
      },
      bundle: true,
      minify: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      external: ['ioredis', ...presupposedBy(folder)],
      metafile: true,
      outdir: out,
      absWorkingDir: out,
      logLevel: 'error',
    })
    return loadedBytes(metafile.outputs, inMemory)
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

function loadedBytes(outputs, inMemory) {
  // A part that is loaded late is an entry point as well, of a file that has a name.
  const first = Object.keys(outputs).find((file) => outputs[file].entryPoint?.endsWith('budget.mjs'))
  const loaded = new Set([first])
  const isLoaded = (path, kind) =>
    kind === 'import-statement' || (inMemory && MEMORY_STORE.test(outputs[path].entryPoint ?? ''))
  for (const file of loaded) {
    for (const { path, kind } of outputs[file].imports) {
      if (outputs[path] !== undefined && isLoaded(path, kind)) loaded.add(path)
    }
  }
  return [...loaded].reduce((sum, file) => sum + outputs[file].bytes, 0)
}

/** Checks each budget. Needs the built packages. */
export async function checkBudgets(check) {
  for (const [folder, name, mostKib, { inMemory = false } = {}] of BUDGETS) {
    const { name: called } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const kib = (await bytesOf(folder, name, inMemory)) / KIB
    const what = `${called} ${name}${inMemory ? ' with every store in memory' : ''}`
    await check(`weight ${what}: ${kib.toFixed(1)} KiB of ${mostKib}`, () => {
      if (kib > mostKib)
        throw new Error(`a program that imports only ${what} carries ${kib.toFixed(1)} KiB minified`)
    })
  }
}
