// npm run demo [-- --store memory|redis] [--redis-url redis://…]: a login, refresh and logout over two nodes.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram, toolEnv } from './lib/run.mjs'
import { ensureRedis } from './servers/redis-binary.mjs'

function readArguments() {
  const { values } = parseArgs({ options: { store: { type: 'string' }, 'redis-url': { type: 'string' } } })
  if (values['redis-url'] !== undefined) process.env.REDIS_URL = values['redis-url']
  const store = values.store ?? (values['redis-url'] === undefined ? 'memory' : 'redis')
  if (store !== 'memory' && store !== 'redis') throw new Error('--store is memory or redis')
  return store
}

requireNode()
let redis
try {
  const store = readArguments()
  await installDependencies()
  if (store === 'redis') {
    await ensureRedis()
    redis = await (await import('./servers/redis.mjs')).startRedis()
  }
  const { sourceFlags } = await import('./lib/source.mjs')
  const env = { ...toolEnv(), ...(redis && { AUTHSTATE_DEMO_REDIS_URL: redis.url }) }
  if (redis === undefined) delete env.AUTHSTATE_DEMO_REDIS_URL
  const demo = join(root, 'examples', 'auth-server', 'src', 'demo.ts')
  const { status } = await runProgram(process.execPath, [...sourceFlags, demo], { env })
  process.exitCode = status
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  await redis?.stop()
}
