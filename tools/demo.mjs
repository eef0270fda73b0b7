// npm run demo [-- --store memory|redis] [--redis-url redis://…]: a login, refresh and logout over two nodes. With --console: one node with the
// console of operators and a crowd, until Ctrl-C; with --once as well it looks at its own pages, and ends. With --sites: two sites, each with
// its own Redis, that are cut apart and come together again.
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
    sites: { type: 'boolean' },
  }
  const { values } = parseArgs({ options })
  if (values['redis-url'] !== undefined) process.env.REDIS_URL = values['redis-url']
  const store = values.store ?? (values['redis-url'] === undefined ? 'memory' : 'redis')
  if (store !== 'memory' && store !== 'redis') throw new Error('--store is memory or redis')
  if (values.once && !values.console) throw new Error('--once is for --console')
  if (values.sites) {
    if (values.console) throw new Error('--sites and --console are two demos: give one of them')
    if (values.store !== undefined || values['redis-url'] !== undefined)
      throw new Error('--sites starts a Redis for each site: leave out --store and --redis-url')
    return { store: 'redis', program: 'sites.ts', isOnce: false, hasOther: true }
  }
  const program = values.console ? 'console.ts' : 'demo.ts'
  return { store, program, isOnce: values.once === true, hasOther: false }
}

requireNode()
let redis
let other
try {
  const { store, program, isOnce, hasOther } = readArguments()
  await installDependencies()
  if (store === 'redis') {
    await ensureRedis()
    const { startRedis } = await import('./servers/redis.mjs')
    redis = await startRedis()
    if (hasOther) other = await startRedis()
  }
  const { sourceFlags } = await import('./lib/source.mjs')
  const env = {
    ...toolEnv(),
    ...(redis && { AUTHSTATE_DEMO_REDIS_URL: redis.url }),
    ...(other && { AUTHSTATE_DEMO_OTHER_REDIS_URL: other.url }),
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
  await other?.stop()
}
