import { Redis } from 'ioredis'
import { listen } from './node.js'
import { type NodeProcess, startProcess } from './node-process.js'
import { createState, type World } from './world.js'

/** A running node of the server, as its clients see it. */
export interface Node {
  readonly name: string
  readonly origin: string
}

/** Both nodes. */
export interface Nodes {
  readonly a: Node
  readonly b: Node
  /** Where every node is a process: ends A with SIGKILL, and starts another in its place. */
  readonly processes?: { killA(): Promise<void>; startA(): Promise<Node> }
  stop(): Promise<void>
}

export const startNodes = (world: World): Promise<Nodes> =>
  world.redis ? startProcesses(world) : startInThisProcess(world)

/** Two servers over one state: what memory can do. */
async function startInThisProcess(world: World): Promise<Nodes> {
  const state = await createState(world, 'A+B')
  const [a, b] = [await listen(world, state, 'A'), await listen(world, state, 'B')]
  return {
    a: { name: 'A', origin: a.origin },
    b: { name: 'B', origin: b.origin },
    async stop() {
      await Promise.all([a.close(), b.close()])
      await state.close()
    },
  }
}

/** Two processes that share nothing but Redis. */
async function startProcesses(world: World): Promise<Nodes> {
  const running = new Map<string, NodeProcess>()
  const start = async (name: string): Promise<Node> => {
    const node = await startProcess(world, name)
    running.set(name, node)
    return node
  }
  const stop = async (): Promise<void> => {
    await Promise.all([...running.values()].map((node) => node.end('SIGTERM')))
    await clearRedis(world)
  }
  try {
    const [a, b] = await Promise.all([start('A'), start('B')])
    const killA = async (): Promise<void> => void (await running.get('A')?.end('SIGKILL'))
    return { a, b, processes: { killA, startA: () => start('A') }, stop }
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
}

/** Removes what the run left in Redis, under the prefix that is its own. */
export async function clearRedis({ redis }: World): Promise<void> {
  if (!redis) return
  const client = new Redis(redis.url, { lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => {})
  try {
    await client.connect()
    for await (const keys of client.scanStream({ match: `${redis.prefix}:*`, count: 500 })) {
      if (keys.length > 0) await client.unlink(...keys)
    }
  } finally {
    client.disconnect()
  }
}
