// npm run load -- --scenario login-storm|refresh-storm|mixed --rps 500 --minutes 5 [--config file] [--url redis://…] [--yes]: the command
// `authstate load` from source, against a Redis of yours: docs/load.md.
import { join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram } from './lib/run.mjs'

requireNode()
try {
  await installDependencies()
  const program = join(root, 'packages', 'cli', 'bin', 'authstate.mjs')
  const { status } = await runProgram(process.execPath, [program, 'load', ...process.argv.slice(2)], {
    env: process.env,
    cwd: process.env.INIT_CWD ?? process.cwd(),
  })
  process.exitCode = status
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
