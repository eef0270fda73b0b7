import type { Redis } from 'ioredis'
import { startCluster, startRedis } from '../../tools/servers/redis.mjs'
import { type CommandTime, commandTime } from './redis-info.js'

/** A Redis server, and where they are wanted a Cluster of three masters and one of a single master, for nobody else. */
export interface Servers {
  readonly url: string
  readonly version: string
  readonly nodes: readonly string[]
  /** The master of the Cluster of one. */
  readonly lone: readonly string[]
  flush(): Promise<void>
  /** Time that all servers have spent in commands. */
  commandUs(): Promise<CommandTime>
  stop(): Promise<void>
}

export async function startServers({ cluster }: { readonly cluster: boolean }): Promise<Servers> {
  const { REDIS_URL: _, ...env } = process.env // a server that others use measures them as well
  const server = await startRedis(env)
  if (server.binary === undefined) {
    await server.stop()
    throw new Error('the benchmarks need a redis-server of their own, and there is none on this machine')
  }
  const { Redis } = await import('ioredis')
  const client = new Redis(server.url)
  const masters: Redis[] = []
  const clusters: Awaited<ReturnType<typeof startCluster>>[] = []
  const stop = async () => {
    for (const redis of [client, ...masters]) redis.disconnect()
    await Promise.all([server.stop(), ...clusters.map((one) => one.stop())])
  }
  try {
    if (cluster) for (const size of [3, 1]) clusters.push(await startCluster(server.binary, size))
    masters.push(...clusters.flatMap(({ nodes }) => nodes.map((node) => new Redis(`redis://${node}`))))
    // Nothing but serving: a snapshot in the middle of a slot would be measured too.
    await client.config('SET', 'save', '')
    await client.config('SET', 'appendonly', 'no')
    const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'unknown'
    return {
      url: server.url,
      version,
      nodes: clusters[0]?.nodes ?? [],
      lone: clusters[1]?.nodes ?? [],
      flush: async () => {
        for (const redis of [client, ...masters]) await redis.flushall()
      },
      commandUs: async () => {
        const times = await Promise.all([client, ...masters].map(commandTime))
        const sum = (read: (time: CommandTime) => number) => times.reduce((all, time) => all + read(time), 0)
        return {
          scripts: sum(({ scripts }) => scripts),
          all: sum(({ all }) => all),
          calls: sum(({ calls }) => calls),
        }
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
