import type { Options } from 'tsup'

const base: Options = {
  format: ['esm', 'cjs'],
  target: 'node20',
  platform: 'node',
  tsconfig: 'tsconfig.build.json',
  dts: true,
  sourcemap: true,
  // A map leads to names and lines; the sources themselves are in the repository.
  esbuildOptions: (options) => {
    options.sourcesContent = false
  },
  clean: true,
  // Both must stay on. With `splitting` alone, tsup 8 and 9 hand the CJS chunks to sucrase, which rewrites
  // `?.` and `??` into slow helper calls; with neither, every CJS entry gets its own copy of shared
  // modules (two copies of each error class). With both, rollup writes the CJS chunks.
  splitting: true,
  treeshake: true,
  loader: { '.lua': 'text' },
}
export default base
