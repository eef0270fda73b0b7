import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { listen } from './node.js'
import type { Orders, Report } from './node-process.js'
import { createState, type World } from './world.js'

/** A running node of the server, as its clients see it. */
export interface Node {
  readonly name: 'A' | 'B'
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
  const [a, b] = [await listen(world, state), await listen(world, state)]
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
  const running = new Map<Node['name'], ChildProcess>()
  const start = async (name: Node['name']): Promise<Node> => {
    const child = fork(fileURLToPath(new URL('./node-process.ts', import.meta.url)))
    running.set(name, child)
    const orders: Orders = { name, world }
    child.send(orders)
    const ended = once(child, 'exit').then(([status]) => ({ error: `node ${name} ended with ${status}` }))
    const report: Report = await Promise.race([
      once(child, 'message').then(([message]) => message as Report),
      ended,
    ])
    if ('error' in report) throw new Error(report.error)
    return { name, origin: report.origin }
  }
  const end = async (name: Node['name'], signal: NodeJS.Signals): Promise<void> => {
    const child = running.get(name)
    running.delete(name)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
  const stop = async (): Promise<void> => {
    await Promise.all([...running.keys()].map((name) => end(name, 'SIGTERM')))
    await clear(world)
  }
  try {
    const [a, b] = await Promise.all([start('A'), start('B')])
    return { a, b, processes: { killA: () => end('A', 'SIGKILL'), startA: () => start('A') }, stop }
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
}

/** Removes what the run left in Redis, under the prefix that is its own. */
async function clear({ redis }: World): Promise<void> {
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
