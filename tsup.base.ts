import { readFileSync } from 'node:fs'
import type { Options } from 'tsup'

/** The entries of a package, as the `exports` of the manifest beside the caller say: built name to source. */
export function entriesOf(caller: string): Record<string, string> {
  const manifest = new URL('./package.json', caller)
  const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  }
  const entries = Object.entries(exports).flatMap(([entry, target]) => {
    const source = typeof target === 'string' ? undefined : target['@authstate/source']
    return source === undefined ? [] : [[entry === '.' ? 'index' : entry.slice(2), source]]
  })
  return Object.fromEntries(entries) as Record<string, string>
}

/**
 * CommonJS reaches its own late parts with `require`. Test runners such as Jest run it in a context of its own, where `import()`
 * is refused. What is no file of ours stays as it is written: it may be an ES module.
 */
const requireOwnParts: NonNullable<Options['plugins']>[number] = {
  name: 'require-own-parts',
  renderChunk(code, { map }) {
    if (this.format !== 'cjs') return
    const required = code.replace(
      /\bimport\((["']\.[^"']+["'])\)/g,
      'Promise.resolve().then(() => require($1))',
    )
    return { code: required, map: map ?? null }
  },
}

const base: Options = {
  format: ['esm', 'cjs'],
  target: 'node20',
  platform: 'node',
  tsconfig: 'tsconfig.build.json',
  // tools/declarations.mjs writes the declarations of all packages in one run.
  dts: false,
  sourcemap: true,
  // A map leads to names and lines; the sources themselves are in the repository.
  esbuildOptions: (options) => {
    options.sourcesContent = false
  },
  clean: ['!**/*.d.ts', '!**/*.d.cts'],
  // Both must stay on. With `splitting` alone, tsup 8 and 9 hand the CJS chunks to sucrase, which rewrites
  // `?.` and `??` into slow helper calls; with neither, every CJS entry gets its own copy of shared
  // modules (two copies of each error class). With both, rollup writes the CJS chunks.
  splitting: true,
  treeshake: true,
  loader: { '.lua': 'text' },
  plugins: [requireOwnParts],
}
export default base
