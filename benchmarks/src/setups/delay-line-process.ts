import { fork } from 'node:child_process'
import { ask } from '../ask.js'
import { bundle } from '../build.js'

export interface Request {
  /** Of the server, on this host. */
  readonly port: number
  /** One way. */
  readonly delayMs: number
}
export interface Reply {
  readonly port: number
}

/** Starts a delay line before a port of this host. */
export async function startDelayLine(request: Request): Promise<{ port: number; stop(): void }> {
  const program = await bundle('delay-line', [
    `import { serveDelayLine } from './setups/delay-line.js'`,
    'serveDelayLine()',
  ])
  const child = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] })
  try {
    const { port } = await ask<Reply>(child, { ...request })
    return { port, stop: () => child.kill() }
  } catch (error) {
    child.kill()
    throw error
  }
}
