// npm run test:node [-- 22 24]: the demo on both stores, and what another Node may do differently, under other versions.
// The versions come from the npm registry, into a folder of their own.
import { join } from 'node:path'
import { installDependencies, requireNode } from './lib/install.mjs'
import { nodeOf } from './lib/npm-folder.mjs'
import { root, runProgram, seconds, toolEnv } from './lib/run.mjs'
import { ensureRedis } from './servers/redis-binary.mjs'

const DEFAULT = ['22', '24']

/**
 * What a version of Node brings: its language, its own modules and its sockets. So all of the contracts and the registry, every suite
 * in memory, and of Redis what opens, batches and ends connections. What a server answers is the same for every Node.
 */
const SUITES = [
  { projects: ['spi', 'registry'], files: [] },
  { projects: ['*'], files: ['memory.test'] },
  { projects: ['redis'], files: ['connect', 'close', 'deadline', 'batch-writes', 'reader', 'fake-timers'] },
]

function readVersions() {
  const versions = process.argv.slice(2)
  const wrong = versions.find((one) => !/^\d+$/.test(one))
  if (wrong !== undefined) throw new Error(`versions are major numbers of Node such as 22, got "${wrong}"`)
  return versions.length > 0 ? versions : DEFAULT
}

async function checksOf(node) {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { sourceFlags } = await import('./lib/source.mjs')
  const demo = [...sourceFlags, join(root, 'examples', 'auth-server', 'src', 'demo.ts')]
  return [
    ['demo in memory', [node, demo], toolEnv()],
    ['demo on Redis', [node, demo], { ...toolEnv(), AUTHSTATE_DEMO_REDIS_URL: redis.url }],
    ...SUITES.map(({ projects, files }) => {
      const chosen = [...projects.flatMap((name) => ['--project', name]), ...files]
      return [
        `${projects.join(', ')} ${files.join(' ')}`,
        [node, [vitest, 'run', '--maxWorkers=2', ...chosen]],
        toolEnv(),
      ]
    }),
  ]
}

requireNode()
let redis
let failed = 0
try {
  const versions = readVersions()
  await installDependencies()
  await ensureRedis()
  redis = await (await import('./servers/redis.mjs')).startRedis()
  const rows = []
  for (const version of versions) {
    const node = await nodeOf(version)
    const { output } = await runProgram(node, ['--version'], { quiet: true })
    for (const [what, [program, args], env] of await checksOf(node)) {
      const begun = performance.now()
      const { status, output: said } = await runProgram(program, args, { env, quiet: true })
      if (status !== 0) console.log(said)
      failed += status === 0 ? 0 : 1
      rows.push(
        `${output.trim().padEnd(10)} ${what.padEnd(70)} ${status === 0 ? 'ok' : 'FAILED'} in ${seconds(begun)}`,
      )
    }
  }
  console.log(rows.join('\n'))
  process.exitCode = failed === 0 ? 0 : 1
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  await redis?.stop()
}
