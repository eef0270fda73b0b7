// npm run sync [-- --check]: writes what follows from the services of the front door, packages/authstate/src/services.ts: its
// dependencies and subpaths, and the tables in docs between markers. `--check` writes nothing and fails on a difference.
import { join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram } from './lib/run.mjs'

requireNode()
await installDependencies()
const { sourceFlags } = await import('./lib/source.mjs')
const main = join(root, 'tools', 'sync', 'main.ts')
const { status } = await runProgram(process.execPath, [...sourceFlags, main, ...process.argv.slice(2)])
process.exitCode = status
