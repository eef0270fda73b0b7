// A node of a deployment as a process of its own, which does what a test tells it to.
import { fileURLToPath } from 'node:url'
import type { AuthState, AuthStateConfig, RealmSettings } from '../../packages/authstate/src/index.js'
import { Child } from './child.js'

const program = fileURLToPath(new URL('./state-node-child.ts', import.meta.url))

/** What the process answers to one call. */
interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** A value that a step of a test leaves in the process for a later one. */
export type Shared = Record<string, unknown>

/** Of each member of a union by itself. */
type DistributedOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** What the state of a process is made of: plain data, so the settings of its realms are one object. */
export type NodeConfig = DistributedOmit<AuthStateConfig, 'realms'> & { readonly realm?: RealmSettings }

/** A process with an `AuthState` of its own. */
export class StateNode {
  readonly #child: Child
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  #calls = 0

  private constructor(env: Readonly<Record<string, string>>) {
    this.#child = new Child(program, [], {
      env: { ...process.env, ...env },
      onMessage: (message) => {
        const { id, value, error } = message as Answer
        const waiting = this.#waiting.get(id)
        this.#waiting.delete(id)
        if (error === undefined) waiting?.resolve(value)
        else waiting?.reject(new Error(error))
      },
    })
    void this.#child.ended.then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error(this.#child.describe()))
      this.#waiting.clear()
    })
  }

  /** Starts a node; resolves when its state runs. @param env More environment, such as that of a `HostClock`. */
  static async start(config: NodeConfig, env: Readonly<Record<string, string>> = {}): Promise<StateNode> {
    const node = new StateNode(env)
    await node.#send({ config })
    return node
  }

  /** What the process wrote to standard error so far: the log of its state. */
  get log(): string {
    return this.#child.stderr
  }

  /**
   * Runs a function in the process. It is sent as text, so it knows what it is given and nothing else.
   *
   * @param given Plain data.
   */
  run<A, R>(step: (state: AuthState, given: A, shared: Shared) => R, given?: A): Promise<Awaited<R>> {
    return this.#send({ step: step.toString(), given }) as Promise<Awaited<R>>
  }

  pause(): void {
    this.#child.signal('SIGSTOP')
  }

  resume(): void {
    this.#child.signal('SIGCONT')
  }

  /** Closes the state and ends the process. */
  async stop(): Promise<void> {
    this.resume()
    await this.#send({ stop: true }).catch(() => {})
    await this.#child.ended
  }

  async kill(): Promise<void> {
    this.#child.signal('SIGKILL')
    await this.#child.ended
  }

  #send(message: object): Promise<unknown> {
    this.#calls += 1
    const id = this.#calls
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, ...message }, reject)
    })
  }
}
