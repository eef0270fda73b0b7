import { Worker } from 'node:worker_threads'

const NAME_BYTES = 1_024

/** Runs in a thread of its own: the one that is blocked can do nothing. */
const WATCH = `
const { writeSync } = require('node:fs')
const { workerData } = require('node:worker_threads')
const { shared, limitMs } = workerData
const [turn, length, name] = [new Int32Array(shared, 0, 1), new Int32Array(shared, 4, 1), new Uint8Array(shared, 8)]
for (;;) {
  if (Atomics.wait(turn, 0, Atomics.load(turn, 0), limitMs) !== 'timed-out') continue
  const what = Buffer.from(name.slice(0, length[0])).toString()
  writeSync(2, 'the process was blocked for ' + limitMs + ' ms and is ended. It ran: ' + what + '\\n')
  process.kill(process.pid, 'SIGKILL')
}
`

/** Ends the process when what it runs blocks it: then no time-out of its own can. */
export class Watchdog {
  readonly #turn: Int32Array
  readonly #length: Int32Array
  readonly #name: Uint8Array
  readonly #worker: Worker
  readonly #timer: NodeJS.Timeout

  /** @param limitMs How long the event loop may stand still. */
  constructor(limitMs: number) {
    const shared = new SharedArrayBuffer(8 + NAME_BYTES)
    this.#turn = new Int32Array(shared, 0, 1)
    this.#length = new Int32Array(shared, 4, 1)
    this.#name = new Uint8Array(shared, 8)
    this.#worker = new Worker(WATCH, { eval: true, workerData: { shared, limitMs } })
    this.#worker.unref()
    this.#timer = setInterval(() => this.#live(), Math.ceil(limitMs / 8)).unref()
  }

  /** What runs from now on, for the message. */
  begin(what: string): void {
    const text = Buffer.from(what).subarray(0, NAME_BYTES)
    this.#name.set(text)
    this.#length[0] = text.length
    this.#live()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#worker.terminate()
  }

  #live(): void {
    Atomics.add(this.#turn, 0, 1)
    Atomics.notify(this.#turn, 0)
  }
}
