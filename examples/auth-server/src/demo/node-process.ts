import { fork } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { World } from './world.js'

/** What a process is told when it starts. */
export interface Orders {
  readonly name: string
  readonly world: World
  /** How long a node that is stopped goes on answering on connections that are open. */
  readonly drainMs: number
  /** How long it goes on taking connections after it has said that it is not ready. */
  readonly noticeMs: number
}

/** What it answers. */
export type Report = { readonly origin: string } | { readonly error: string }

export interface NodeProcessOptions {
  /** As long as a load balancer may take to see that a node is gone. @default 0 */
  readonly drainMs?: number
  /** As long as a load balancer may take to ask whether the node is ready. @default 0 */
  readonly noticeMs?: number
  /** What the process runs. @default `node-main` beside this file, with the flags of this process */
  readonly program?: string
}

/** A node of the server in a process of its own. */
export interface NodeProcess {
  readonly name: string
  readonly origin: string
  /** Ends it: SIGTERM in order, SIGKILL at once. Resolves when it is gone, with what it ended with; null after a signal. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
}

/** A program in the folder of this file, compiled as this one is. */
const besideThis = (name: string): string =>
  fileURLToPath(new URL(`./${name}${extname(import.meta.url)}`, import.meta.url))

/** Starts a node and resolves when it listens. */
export async function startProcess(
  world: World,
  name: string,
  { drainMs = 0, noticeMs = 0, program = besideThis('node-main') }: NodeProcessOptions = {},
): Promise<NodeProcess> {
  const child = fork(program)
  const exited = once(child, 'exit')
  const orders: Orders = { name, world, drainMs, noticeMs }
  child.send(orders)
  const report: Report = await Promise.race([
    once(child, 'message').then(([message]) => message as Report),
    exited.then(([status]) => ({ error: `node ${name} ended with ${status}` })),
  ])
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await exited
    return child.exitCode
  }
  if ('origin' in report) return { name, origin: report.origin, end }
  await end('SIGKILL')
  throw new Error(report.error)
}
