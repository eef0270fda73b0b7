import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { World } from './world.js'

/** What a process is told when it starts. */
export interface Orders {
  readonly name: string
  readonly world: World
  /** How long a node that is stopped goes on answering on connections that are open. */
  readonly drainMs: number
}

/** What it answers. */
export type Report = { readonly origin: string } | { readonly error: string }

export interface NodeProcessOptions {
  /** As long as a load balancer may take to see that a node is gone. @default 0 */
  readonly drainMs?: number
  /** Flags of Node for the process. @default those of this one */
  readonly execArgv?: readonly string[]
}

/** A node of the server in a process of its own. */
export interface NodeProcess {
  readonly name: string
  readonly origin: string
  /** Ends it: SIGTERM in order, SIGKILL at once. Resolves when it is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** Starts a node and resolves when it listens. */
export async function startProcess(
  world: World,
  name: string,
  { drainMs = 0, execArgv = process.execArgv }: NodeProcessOptions = {},
): Promise<NodeProcess> {
  const main = fileURLToPath(new URL('./node-main.ts', import.meta.url))
  const child = fork(main, { execArgv: [...execArgv] })
  const exited = once(child, 'exit')
  const orders: Orders = { name, world, drainMs }
  child.send(orders)
  const report: Report = await Promise.race([
    once(child, 'message').then(([message]) => message as Report),
    exited.then(([status]) => ({ error: `node ${name} ended with ${status}` })),
  ])
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await exited
  }
  if ('origin' in report) return { name, origin: report.origin, end }
  await end('SIGKILL')
  throw new Error(report.error)
}
