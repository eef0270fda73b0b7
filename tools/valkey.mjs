// npm run test:valkey [-- vitest's arguments]: every package on a Valkey server instead of Redis. The server on the PATH,
// or Debian's, which is unpacked into a folder of its own and not installed.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram, toolEnv } from './lib/run.mjs'
import { findValkey, NOT_TO_BE_HAD, NoValkey } from './servers/valkey.mjs'

/** The connection, and every package with a store on it. */
const PROJECTS = readdirSync(join(root, 'packages')).filter(
  (folder) => folder === 'redis' || existsSync(join(root, 'packages', folder, 'src', 'redis.ts')),
)

/** `npm test` has more runs of the model; what another server may do differently shows in fewer. */
const MODEL_RUNS = '60'

requireNode()
try {
  await installDependencies()
  const server = await findValkey()
  console.log(`valkey: ${server}`)
  const own = process.argv.slice(2)
  const projects = own.includes('--project') ? [] : PROJECTS.flatMap((name) => ['--project', name])
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { status } = await runProgram(
    process.execPath,
    [vitest, 'run', '--maxWorkers=2', ...projects, ...own],
    {
      env: { MODEL_RUNS, ...toolEnv(), AUTHSTATE_TEST_REDIS_BINARY: server },
    },
  )
  process.exitCode = status
} catch (error) {
  console.error(error.message)
  process.exitCode = error instanceof NoValkey ? NOT_TO_BE_HAD : 1
}
