// npm run example -- two-node-app [-- --store cookie] [--only 46] [--no-fence]: an application of two processes behind HAProxy, on the
// Redis that REDIS_URL names, or on one that it starts. It signs in, is logged out from elsewhere, and refreshes in a storm.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { cases } from './cases.js'
import { findProgram, pause, System } from './system.js'

const { values } = parseArgs({
  options: {
    store: { type: 'string' },
    only: { type: 'string' },
    'no-fence': { type: 'boolean', default: false },
  },
})
const kinds = (['session', 'cookie'] as const).filter((kind) => (values.store ?? kind) === kind)
const chosen = cases.filter(({ number }) =>
  (values.only ?? String(number)).split(',').includes(String(number)),
)
if (kinds.length === 0 || chosen.length === 0) {
  console.error(`--store session or cookie; --only of ${cases.map(({ number }) => number).join(', ')}`)
  process.exit(1)
}

/** A Redis of its own, on a port above those that are usual. */
async function startRedis(): Promise<{ url: string; stop(): Promise<void> }> {
  const program = findProgram('redis-server') ?? findProgram('valkey-server')
  if (program === undefined) {
    console.error('Two processes share a Redis: set REDIS_URL, or install redis-server.')
    process.exit(1)
  }
  const port = 20_000 + (process.pid % 10_000)
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const child = spawn(program, args, { stdio: 'ignore' })
  const url = `redis://127.0.0.1:${port}`
  const redis = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null })
  redis.on('error', () => {})
  await redis.ping()
  redis.disconnect()
  return {
    url,
    stop: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

const { REDIS_URL: given } = process.env
const redis = given === undefined ? await startRedis() : { url: given, stop: async () => {} }
console.log(
  findProgram('haproxy') === undefined ? 'no haproxy: a forwarder of this example' : 'behind HAProxy',
)
let failed = 0
for (const kind of kinds) {
  console.log(`sessions in ${kind === 'session' ? 'the state' : 'cookies'}`)
  const system = await System.start({ redisUrl: redis.url, kind, noFence: values['no-fence'] })
  let good = 0
  for (const { number, title, run } of chosen) {
    try {
      await run(system, redis.url)
      good += 1
      console.log(`  ${number} ok   ${title}`)
    } catch (error) {
      failed += 1
      console.log(
        `  ${number} FAIL ${title}\n     ${error instanceof Error ? error.message.split('\n').join(' ') : error}`,
      )
      await system.control({ delayMs: 0, hasGrace: false, accessSeconds: 300 })
      await pause(100)
    }
  }
  console.log(`  ${good}/${chosen.length}`)
  await system.stop()
}
await redis.stop()
process.exitCode = failed === 0 ? 0 : 1
