import { timers } from '@authstate/spi/internal'
/** Raised when a command did not answer in time. It may still be applied later. */
export class DeadlineExceeded extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms} ms`)
    this.name = 'DeadlineExceeded'
  }
}

/** One command that waits for its answer. */
export interface Wait {
  readonly dueAt: number
  readonly onExceeded: (error: DeadlineExceeded) => void
  ended: boolean
  before: Wait | undefined
  after: Wait | undefined
}

/** What tells the time and wakes up. */
type Time = Pick<typeof timers, 'setTimeout' | 'monotonicMs'>

/** Gives every command the same time to answer, with one timer for all of them. */
export class Deadlines {
  readonly #ms: number
  readonly #time: Time
  // All waits have the same length, so order of beginning is order of expiry. Linked, because this runs per command.
  #first: Wait | undefined
  #last: Wait | undefined
  #pending = 0
  #timer: NodeJS.Timeout | undefined
  #onIdle: (() => void)[] = []

  constructor(ms: number, time: Time = timers) {
    this.#ms = ms
    this.#time = time
  }

  get pending(): number {
    return this.#pending
  }

  /** @param onExceeded Called at most once, and not after `end`. */
  begin(onExceeded: (error: DeadlineExceeded) => void): Wait {
    const dueAt = this.#time.monotonicMs() + this.#ms
    const wait: Wait = { dueAt, onExceeded, ended: false, before: this.#last, after: undefined }
    if (this.#last === undefined) this.#first = wait
    else this.#last.after = wait
    this.#last = wait
    this.#pending += 1
    this.#timer ??= this.#arm(this.#ms)
    return wait
  }

  /** @returns whether it had not ended yet */
  end(wait: Wait): boolean {
    if (wait.ended) return false
    wait.ended = true
    if (wait.before === undefined) this.#first = wait.after
    else wait.before.after = wait.after
    if (wait.after === undefined) this.#last = wait.before
    else wait.after.before = wait.before
    // An ended one that grew old would keep all that came after it from being collected.
    wait.before = undefined
    wait.after = undefined
    this.#pending -= 1
    if (this.#pending === 0 && this.#onIdle.length > 0) for (const tell of this.#onIdle.splice(0)) tell()
    return true
  }

  /** Resolves once nothing waits any more; within one deadline when nothing new begins. */
  idle(): Promise<void> {
    if (this.#pending === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }

  #arm(ms: number): NodeJS.Timeout {
    return this.#time.setTimeout(() => this.#expire(), ms).unref()
  }

  #expire(): void {
    this.#timer = undefined
    const now = this.#time.monotonicMs()
    for (let wait = this.#first; wait !== undefined; wait = this.#first) {
      if (wait.dueAt > now) {
        this.#timer = this.#arm(Math.ceil(wait.dueAt - now))
        return
      }
      this.end(wait)
      wait.onExceeded(new DeadlineExceeded(this.#ms))
    }
  }
}
