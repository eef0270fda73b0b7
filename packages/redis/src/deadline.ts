/** Raised when a command did not answer in time. It may still be applied later. */
export class DeadlineExceeded extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms} ms`)
    this.name = 'DeadlineExceeded'
  }
}

interface Waiting {
  readonly dueAt: number
  readonly reject: (error: Error) => void
}

/** Gives every command the same time to answer, with one timer for all of them. */
export class Deadlines {
  readonly #ms: number
  // All waits have the same length, so insertion order is order of expiry.
  readonly #waiting = new Set<Waiting>()
  #timer: NodeJS.Timeout | undefined
  #onIdle: (() => void)[] = []

  constructor(ms: number) {
    this.#ms = ms
  }

  get pending(): number {
    return this.#waiting.size
  }

  guard<T>(reply: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const entry: Waiting = { dueAt: performance.now() + this.#ms, reject }
      this.#waiting.add(entry)
      this.#timer ??= this.#arm(this.#ms)
      reply.then(
        (value) => {
          this.#end(entry)
          resolve(value)
        },
        (error: unknown) => {
          this.#end(entry)
          reject(error as Error)
        },
      )
    })
  }

  /** Resolves once nothing waits any more; within one deadline when nothing new is guarded. */
  idle(): Promise<void> {
    if (this.#waiting.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }

  #end(entry: Waiting): void {
    this.#waiting.delete(entry)
    if (this.#waiting.size > 0) return
    for (const tell of this.#onIdle.splice(0)) tell()
  }

  #arm(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#expire(), ms).unref()
  }

  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const entry of this.#waiting) {
      if (entry.dueAt > now) {
        this.#timer = this.#arm(Math.ceil(entry.dueAt - now))
        return
      }
      this.#end(entry)
      entry.reject(new DeadlineExceeded(this.#ms))
    }
  }
}
