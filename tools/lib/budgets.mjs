// What an application carries that bundles one state in memory: minified, with every dependency, without an optional peer.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from './run.mjs'

const KIB = 1024

/** Most KiB, by package and what is imported of it. */
const BUDGETS = [
  ['user-session', 'memoryUserSessions', 60],
  ['auth-session', 'memoryAuthSessions', 60],
  ['action-token', 'memoryActionTokens', 60],
  ['cluster', 'memoryCluster', 60],
  ['sticky-session-encoder', 'memoryStickySessions', 60],
  // 22 of it reads addresses.
  ['login-failure', 'memoryLoginFailures', 76],
  // 18 of it is the cache itself.
  ['realm-cache', 'memoryRealmCache', 64],
  ['authstate', 'createAuthState', 232],
]

/** Bytes of what a program loads at its start that imports one name of a built package. */
async function bytesOf(folder, name) {
  const out = mkdtempSync(join(tmpdir(), 'authstate-budget-'))
  try {
    const { metafile } = await build({
      stdin: {
        contents: `import { ${name} } from './dist/index.js'\nglobalThis.kept = ${name}`,
        resolveDir: join(root, 'packages', folder),
        sourcefile: 'budget.mjs',
      },
      bundle: true,
      minify: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      external: ['ioredis'],
      metafile: true,
      outdir: out,
      absWorkingDir: out,
      logLevel: 'error',
    })
    return loadedBytes(metafile.outputs)
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

function loadedBytes(outputs) {
  const first = Object.keys(outputs).find((file) => outputs[file].entryPoint !== undefined)
  const loaded = new Set([first])
  for (const file of loaded) {
    for (const { path, kind } of outputs[file].imports) {
      if (kind === 'import-statement' && outputs[path] !== undefined) loaded.add(path)
    }
  }
  return [...loaded].reduce((sum, file) => sum + outputs[file].bytes, 0)
}

/** Checks each budget. Needs the built packages. */
export async function checkBudgets(check) {
  for (const [folder, name, mostKib] of BUDGETS) {
    const { name: called } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'))
    const kib = (await bytesOf(folder, name)) / KIB
    await check(`weight ${called} ${name}: ${kib.toFixed(1)} KiB of ${mostKib}`, () => {
      if (kib > mostKib)
        throw new Error(`a program that imports only ${name} carries ${kib.toFixed(1)} KiB minified`)
    })
  }
}
