// Programs are bundled as tsup bundles the packages (same esbuild target, Lua as text), so that what is measured is
// what would be published. Running the sources through a loader would slow every closure down.
import { join, resolve } from 'node:path'
import { build } from 'esbuild'

// The same from `src` and from a bundle in `dist`: a measuring program may start subjects too.
const src = resolve(import.meta.dirname, '..', 'src')
export const root = resolve(src, '..', '..')
const outdir = join(src, '..', 'dist')

const external = [
  'ioredis',
  'ioredis5',
  'redis',
  'connect-redis',
  'express-session',
  'bentocache',
  'autocannon',
  'esbuild',
]

/** The benchmarks of a checkout. */
const sourcesOf = (checkout: string): string => join(checkout, 'benchmarks', 'src')

/** Bundles a program of these lines, whose imports are relative to `from`. Returns the path of the file. */
export async function bundle(name: string, lines: readonly string[], from = src): Promise<string> {
  const outfile = join(outdir, `${name.replaceAll('/', '-')}.mjs`)
  await build({
    stdin: { contents: lines.join('\n'), resolveDir: from, loader: 'ts' },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@authstate/source'],
    loader: { '.lua': 'text' },
    external: [...external, 'bentocache/*', 'lru-cache', 'rate-limiter-flexible'],
    // What is bundled from CommonJS asks for Node's modules with `require`.
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)`,
    },
    sourcemap: 'linked',
    logLevel: 'silent',
  })
  return outfile
}

/** A program that serves the slots of a subject, of this checkout or of another one. */
export const bundleSubject = (name: string, checkout?: string): Promise<string> =>
  bundle(
    `subject-${name}${checkout === undefined ? '' : '-before'}`,
    [`import { open } from './subjects/${name}.js'`, `import { serve } from './worker.js'`, 'serve(open)'],
    checkout === undefined ? src : sourcesOf(checkout),
  )

/** A program that measures once and answers a report. */
export const bundleMeasure = (path: string): Promise<string> =>
  bundle(`measure-${path}`, [
    `import { measure } from './${path}.js'`,
    `import { answer } from './measure.js'`,
    'answer(measure)',
  ])
