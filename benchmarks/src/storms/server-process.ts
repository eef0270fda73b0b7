import { type ChildProcess, fork } from 'node:child_process'
import { ask } from '../ask.js'
import { bundle } from '../build.js'
import type { Question, Reply, StateIn } from './world.js'

/** The parent's side of a server under storm. */
export class ServerProcess {
  readonly #child: ChildProcess
  readonly origin: string
  /** CPU of one look at a password, in us. */
  readonly passwordUs: number
  /** Refresh tokens of this server that can be used. */
  readonly tokens: string[] = []

  private constructor(child: ChildProcess, origin: string, passwordUs: number) {
    this.#child = child
    this.origin = origin
    this.passwordUs = passwordUs
  }

  static async start(stateIn: StateIn, url: string): Promise<ServerProcess> {
    const program = await bundle('storm-server', [
      `import { serveStorm } from './storms/server.js'`,
      'serveStorm()',
    ])
    const child = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] })
    try {
      const { origin } = (await ask<Reply>(child, { stateIn, url } satisfies Question)) as { origin: string }
      return new ServerProcess(child, origin, await cpuOf(child, 'password'))
    } catch (error) {
      child.kill()
      throw error
    }
  }

  cpuUs(): Promise<number> {
    return cpuOf(this.#child, 'cpu')
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect()
  }
}

const cpuOf = async (child: ChildProcess, question: 'cpu' | 'password'): Promise<number> =>
  ((await ask<Reply>(child, question)) as { cpuUs: number }).cpuUs
