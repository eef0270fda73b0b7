// npm run demo:adapters [-- --redis-url redis://…]: races on the usual stores and on our adapters, side by side, on a Redis.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installDependencies, requireNode } from './lib/install.mjs'
import { root, runProgram, toolEnv } from './lib/run.mjs'
import { ensureRedis } from './servers/redis-binary.mjs'

requireNode()
let redis
try {
  const { values } = parseArgs({ options: { 'redis-url': { type: 'string' } } })
  if (values['redis-url'] !== undefined) process.env.REDIS_URL = values['redis-url']
  await installDependencies()
  await ensureRedis()
  redis = await (await import('./servers/redis.mjs')).startRedis()
  const { sourceFlags } = await import('./lib/source.mjs')
  const demo = join(root, 'examples', 'adapter-races', 'src', 'main.ts')
  const env = { ...toolEnv(), AUTHSTATE_DEMO_REDIS_URL: redis.url }
  const { status } = await runProgram(process.execPath, [...sourceFlags, demo], { env })
  process.exitCode = status
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  await redis?.stop()
}
