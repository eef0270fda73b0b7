// npm run test:valkey [-- vitest's arguments]: what another server may do differently, on Valkey instead of Redis. The server on
// the PATH, or Debian's, which is unpacked into a folder of its own and not installed.
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { packageFolders } from './lib/packages.mjs'
import { root, runProgram, toolEnv } from './lib/run.mjs'
import { findValkey, NOT_TO_BE_HAD, NoValkey } from './servers/valkey.mjs'

/** The connection, and every package with a store on it. */
const PROJECTS = packageFolders()
  .filter((folder) => folder === 'packages/redis' || existsSync(join(root, folder, 'src', 'redis.ts')))
  .map((folder) => basename(folder))

/**
 * Parts of the names of test files. What a server answers: the suites with all scripts, the Lua that counts, and of the connection
 * what is asked of the server. What happens between client and socket (time-outs, batches, spans, repeats, outages) is the same
 * with every server, and `npm test` has it.
 */
const FILES = [
  'redis.test',
  'redis-cluster',
  'agreement',
  'acl',
  'connect',
  'doctor',
  'layout',
  'replicas',
  'scripts',
  'topologies',
]

/** A key prefix and another client change nothing about the server. */
const ONLY_SERVERS = { AUTHSTATE_TEST_ONLY_SERVERS: '1' }

requireNode()
try {
  await installDependencies()
  const server = await findValkey()
  console.log(`valkey: ${server}`)
  const own = process.argv.slice(2)
  const chosen = own.length > 0 ? own : [...PROJECTS.flatMap((name) => ['--project', name]), ...FILES]
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { status } = await runProgram(process.execPath, [vitest, 'run', '--maxWorkers=2', ...chosen], {
    env: { ...ONLY_SERVERS, ...toolEnv(), AUTHSTATE_TEST_REDIS_BINARY: server },
  })
  process.exitCode = status
} catch (error) {
  console.error(error.message)
  process.exitCode = error instanceof NoValkey ? NOT_TO_BE_HAD : 1
}
