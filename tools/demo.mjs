// npm run demo [-- --store memory|redis] [--redis-url redis://…]: a login, refresh and logout over two nodes. With --console: one node with the
// console of operators and a crowd, until Ctrl-C; with --once as well it looks at its own pages, and ends.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram, toolEnv } from './lib/run.mjs'
import { ensureRedis } from './servers/redis-binary.mjs'

function readArguments() {
  const options = {
    store: { type: 'string' },
    'redis-url': { type: 'string' },
    console: { type: 'boolean' },
    once: { type: 'boolean' },
  }
  const { values } = parseArgs({ options })
  if (values['redis-url'] !== undefined) process.env.REDIS_URL = values['redis-url']
  const store = values.store ?? (values['redis-url'] === undefined ? 'memory' : 'redis')
  if (store !== 'memory' && store !== 'redis') throw new Error('--store is memory or redis')
  if (values.once && !values.console) throw new Error('--once is for --console')
  return { store, program: values.console ? 'console.ts' : 'demo.ts', isOnce: values.once === true }
}

requireNode()
let redis
try {
  const { store, program, isOnce } = readArguments()
  await installDependencies()
  if (store === 'redis') {
    await ensureRedis()
    redis = await (await import('./servers/redis.mjs')).startRedis()
  }
  const { sourceFlags } = await import('./lib/source.mjs')
  const env = {
    ...toolEnv(),
    ...(redis && { AUTHSTATE_DEMO_REDIS_URL: redis.url }),
    ...(isOnce && { AUTHSTATE_DEMO_ONCE: '1' }),
  }
  if (redis === undefined) delete env.AUTHSTATE_DEMO_REDIS_URL
  const demo = join(root, 'examples', 'auth-server', 'src', program)
  const { status } = await runProgram(process.execPath, [...sourceFlags, demo], { env })
  process.exitCode = status
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  await redis?.stop()
}
