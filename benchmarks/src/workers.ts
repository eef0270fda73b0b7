// The parent's side: one process per subject, and one slot at a time.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { ask } from './ask.js'
import { bundleSubject } from './build.js'
import type { Place, Slot, SlotResult } from './subject.js'
import type { Reply, Request } from './worker.js'

export class Worker {
  readonly #child: ChildProcess

  constructor(program: string) {
    this.#child = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] })
  }

  static async open(subject: string, place: Place, checkout?: string): Promise<Worker> {
    const worker = new Worker(await bundleSubject(subject, checkout))
    try {
      await ask<Reply>(worker.#child, { open: place } satisfies Request)
      return worker
    } catch (error) {
      await worker.close()
      throw error
    }
  }

  async run(slot: Slot): Promise<SlotResult> {
    return (await ask<Reply>(this.#child, { slot } satisfies Request)).done as SlotResult
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    if (this.#child.connected) this.#child.disconnect()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 3_000)
    await exit
    clearTimeout(timer)
  }
}
