// One node in a process of its own. Says what it sees, line by line; does what it is told, line by line.
import { createInterface } from 'node:readline'
import { type RedisOptions, redisConnection } from '@authstate/redis'
import { createProviderRegistry } from '@authstate/registry'
import { clusterSpi } from '../src/index.js'
import { redisCluster } from '../src/redis.js'

const { name, redis, properties } = JSON.parse(process.argv[2] ?? '{}') as {
  name: string
  redis: RedisOptions
  properties: Readonly<Record<string, unknown>>
}
const say = (line: string) => process.stdout.write(`${line}\n`)

const registry = createProviderRegistry({
  factories: [redisCluster(), redisConnection()],
  config: { redis, spi: { cluster: { provider: 'redis', redis: { ...properties } } } },
  node: { name },
})
await registry.start()
const cluster = registry.get(clusterSpi)
say('up')

/** The pace of a worker in a process of its own, which no test can wait for: the clock that counts here is the host's. */
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const orders: Readonly<Record<string, (argument: string) => Promise<void>>> = {
  /** Takes the lock and acts under it, as long as it believes to hold it. */
  work: async (leaseMs) => {
    await cluster.withLock('work', { leaseMs: Number(leaseMs) }, async (lease) => {
      say(`locked ${lease.fence}`)
      while (lease.held()) {
        say(`act ${lease.fence}`)
        await pause(5)
      }
      say(`lost ${lease.fence}`)
    })
    say('unlocked')
  },
  leave: async () => {
    await registry.close()
    say('left')
    process.exit(0)
  },
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const [order = '', argument = ''] = line.split(' ')
  orders[order]?.(argument).catch((error: Error) => say(`error ${error.message}`))
})
