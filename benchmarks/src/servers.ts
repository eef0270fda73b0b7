import { startCluster, startRedis } from '../../scripts/lib/redis.mjs'

/** A Redis server and a Cluster of three masters that nobody else uses. */
export interface Servers {
  readonly url: string
  readonly version: string
  readonly nodes: readonly string[]
  flush(): Promise<void>
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
  const three = cluster ? await startCluster(server.binary) : undefined
  try {
    // Nothing but serving: a snapshot in the middle of a slot would be measured too.
    await client.config('SET', 'save', '')
    await client.config('SET', 'appendonly', 'no')
    const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'unknown'
    return {
      url: server.url,
      version,
      nodes: three?.nodes ?? [],
      flush: async () => {
        await client.flushall()
      },
      stop: async () => {
        client.disconnect()
        await Promise.all([server.stop(), three?.stop()])
      },
    }
  } catch (error) {
    client.disconnect()
    await Promise.all([server.stop(), three?.stop()])
    throw error
  }
}
