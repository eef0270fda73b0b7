// npm run bench [-- --quick] [-- --check] [-- --only R1,D5] …: our figures and the peers', from a fresh clone.
import { join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram } from './lib/run.mjs'
import { ensureRedis } from './servers/redis-binary.mjs'

requireNode()
try {
  await installDependencies()
  await ensureRedis()
  const { sourceFlags } = await import('./lib/source.mjs')
  const main = join(root, 'benchmarks', 'src', 'main.ts')
  const { status } = await runProgram(process.execPath, [...sourceFlags, main, ...process.argv.slice(2)])
  process.exitCode = status
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
