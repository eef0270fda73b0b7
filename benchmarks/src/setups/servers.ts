import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Redis } from 'ioredis'
import type { Topology, TopologyKind } from '../../../tools/servers/topology.mjs'
import { root } from '../build.js'
import { startDelayLine } from './delay-line-process.js'

/** Tools that find their neighbours by their own place: they cannot be bundled. */
const toolOf = (name: string): string => pathToFileURL(join(root, 'tools', 'servers', name)).href
const { start } = (await import(
  toolOf('topology.mjs')
)) as typeof import('../../../tools/servers/topology.mjs')
const { findValkey, NoValkey } = (await import(
  toolOf('valkey.mjs')
)) as typeof import('../../../tools/servers/valkey.mjs')

/** One way to reach a server, under measure. */
export interface Setup {
  readonly name: string
  readonly url: string
  /** Of the subject, see `open-store.ts`. */
  readonly variant: string
  /** More options of the connection. */
  readonly redis?: Readonly<Record<string, unknown>>
  stop(): Promise<void>
}

export interface Setups {
  readonly ready: readonly Setup[]
  /** What could not be started, and why. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[]
}

const urlOf = (port: number, scheme = 'redis') => `${scheme}://127.0.0.1:${port}`

export const startServer = (kind: TopologyKind = 'single'): Promise<Topology> => start(kind)

/** The append-only file, written to the disk once a second. */
async function startLogged(): Promise<Topology> {
  const server = await startServer()
  const redis = new Redis(urlOf(server.basePort))
  await redis.config('SET', 'appendfsync', 'everysec')
  await redis.config('SET', 'appendonly', 'yes')
  redis.disconnect()
  return server
}

async function startValkey(): Promise<Topology> {
  const name = 'AUTHSTATE_TEST_REDIS_BINARY'
  const before = process.env[name]
  process.env[name] = await findValkey()
  try {
    return await startServer()
  } finally {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  }
}

const plain = (name: string, server: Topology, variant = 'batched'): Setup => ({
  name,
  url: urlOf(server.basePort),
  variant,
  stop: () => server.stop(),
})

async function delayed(delayMs: number): Promise<Setup> {
  const server = await startServer()
  const line = await startDelayLine({ port: server.basePort, delayMs })
  return {
    ...plain(`a network of ${delayMs} ms each way`, server),
    url: urlOf(line.port),
    stop: async () => {
      line.stop()
      await server.stop()
    },
  }
}

const STARTS: Readonly<Record<string, () => Promise<Setup>>> = {
  loopback: async () => plain('loopback', await startServer()),
  'ioredis 5': async () => plain('ioredis 5', await startServer(), 'ioredis 5'),
  TLS: async () => {
    const server = await startServer('tls')
    return { ...plain('TLS', server), url: urlOf(server.basePort, 'rediss'), redis: { tls: server.tls } }
  },
  'append-only file, everysec': async () => plain('append-only file, everysec', await startLogged()),
  'two replicas': async () => plain('two replicas', await startServer('replica')),
  'two replicas, minReplicas 1': async () => ({
    ...plain('two replicas, minReplicas 1', await startServer('replica')),
    redis: { minReplicas: 1 },
  }),
  'Valkey 8': async () => plain('Valkey 8', await startValkey()),
  'a network of 0.2 ms each way': () => delayed(0.2),
  'a network of 1 ms each way': () => delayed(1),
}

/** Everything stands on this machine; each setup has servers of its own, and they are measured one at a time. */
export async function startSetups(): Promise<Setups> {
  const ready: Setup[] = []
  const missing: { name: string; reason: string }[] = []
  for (const [name, begin] of Object.entries(STARTS)) {
    try {
      ready.push(await begin())
    } catch (error) {
      if (!(error instanceof NoValkey)) {
        await Promise.all(ready.map((setup) => setup.stop()))
        throw error
      }
      missing.push({ name, reason: error.message })
    }
  }
  return { ready, missing }
}
