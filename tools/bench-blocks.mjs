// npm run bench:blocks [-- --sessions 1000000]: how long each verb of user sessions in memory holds the event loop.
import { join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram } from './lib/run.mjs'

/** A million sessions take some gigabytes. */
const HEAP_MB = 8192

requireNode()
try {
  await installDependencies()
  const { sourceFlags } = await import('./lib/source.mjs')
  const main = join(root, 'benchmarks', 'src', 'blocks', 'main.ts')
  const flags = [`--max-old-space-size=${HEAP_MB}`, ...sourceFlags]
  const { status } = await runProgram(process.execPath, [...flags, main, ...process.argv.slice(2)])
  process.exitCode = status
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
