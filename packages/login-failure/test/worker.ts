// One process of several: waits for a line on stdin, does its share at once, prints what came of it.
//   worker.ts fail|guard <prefix> <count> <redis url, or addresses of a Cluster>
import { once } from 'node:events'
import { redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { loginFailureSpi } from '../src/index.js'
import { redisLoginFailures } from '../src/redis.js'

const [job, prefix, count, target = ''] = process.argv.slice(2)
/** However slow the machine is: no step of this may fail for want of an answer. */
const patient = { connectTimeoutMs: 60_000, commandTimeoutMs: 60_000 }
const registry = createProviderRegistry({
  factories: [redisLoginFailures(), redisConnection()],
  config: {
    redis: {
      ...(target.startsWith('redis:') ? { url: target } : { nodes: target.split(',') }),
      ...patient,
      prefix,
    },
    spi: { 'login-failure': { provider: 'redis', redis: { failPolicy: 'closed' } } },
  },
  realms: () => ({
    bruteForce: { enabled: true, failureFactor: job === 'fail' ? 1_000_000 : 7, quickLoginCheckMs: 0 },
  }),
})
await registry.start()
const provider = registry.get(loginFailureSpi)

process.stdout.write('ready\n')
await once(process.stdin, 'data')
let verified = 0
const outcomes = await Promise.all(
  Array.from({ length: Number(count) }, async () => {
    if (job === 'fail') return (await provider.recordFailure('realm', 'alice')).numFailures
    const { outcome } = await provider.guard('realm', 'alice', {}, async () => {
      verified += 1
      await provider.get('realm', 'alice')
      return false
    })
    return outcome
  }),
)
const record = await provider.get('realm', 'alice')
process.stdout.write(`${JSON.stringify({ outcomes, verified, numFailures: record?.numFailures })}\n`)
await registry.close()
process.stdin.destroy()
