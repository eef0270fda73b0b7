// Programs of tests as one JavaScript file each, as they would be published: compiled once in a run, not in every process.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { type BuildOptions, buildSync } from 'esbuild'
import { root } from '../lib/run.mjs'

/** What stays outside: programs look at whether it is loaded, and from where. The root of the repository has it, or a folder of packages from npm. */
const external = ['ioredis', 'ioredis5', 'oidc-provider']

const options: BuildOptions = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  conditions: ['@authstate/source'],
  loader: { '.lua': 'text' },
  external,
  outExtension: { '.js': '.mjs' },
  // What is bundled from CommonJS asks for Node's modules with `require`.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url)",
  },
  sourcemap: 'linked',
  // What an older library calls its main is not always fit to be bundled.
  mainFields: ['module', 'main'],
  absWorkingDir: root,
  logLevel: 'silent',
}

/**
 * Bundles programs that belong together: what two of them import is one module for both, and they lie beside one another.
 *
 * @param programs Paths of TypeScript files whose names differ.
 * @returns the path of each
 */
export function bundle(...programs: readonly string[]): string[] {
  const name = (program: string) => basename(program, '.ts')
  const folder = once(programs.join('\n'), (outdir) => {
    const entryPoints = programs.map((program) => ({ in: program, out: name(program) }))
    buildSync({ ...options, entryPoints, outdir })
  })
  const manifest = join(folder, 'package.json')
  if (!existsSync(manifest)) copyFileSync(manifestOf(programs[0] as string), manifest)
  return programs.map((program) => join(folder, 'dist', `${name(program)}.mjs`))
}

/** Bundles a program that is in no file, as if it were a file of a folder; returns its path. */
export function bundleText(contents: string, resolveDir: string): string {
  const folder = once(`${resolveDir}\n${contents}`, (outdir) => {
    const stdin = { contents, resolveDir, loader: 'ts', sourcefile: 'program.ts' } as const
    buildSync({ ...options, stdin, outdir, entryNames: 'program' })
  })
  return join(folder, 'dist', 'program.mjs')
}

/** The folder of what has that key, which is built by the first of this run who asks. */
function once(key: string, build: (outdir: string) => void): string {
  const parent = process.env['AUTHSTATE_TEST_BUNDLES']
  if (parent === undefined) throw new Error('the global set-up of vitest.config.ts did not run')
  const folder = join(parent, createHash('sha256').update(key).digest('hex').slice(0, 16))
  if (existsSync(folder)) return folder
  mkdirSync(parent, { recursive: true })
  const part = mkdtempSync(`${folder}-`)
  build(join(part, 'dist'))
  try {
    renameSync(part, folder)
  } catch (error) {
    // Another test file had the same at the same time.
    if (!existsSync(folder)) throw error
    rmSync(part, { recursive: true })
  }
  return folder
}

/** A program finds the manifest of its package above its own folder, as it would in the published package. */
function manifestOf(program: string): string {
  for (let folder = dirname(program); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest)) return manifest
    if (folder === dirname(folder)) throw new Error(`${relative(root, program)} is in no package`)
  }
}
