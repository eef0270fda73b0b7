import type { Logger } from '@authstate/spi'
import { isError, timers } from '@authstate/spi/internal'

/** Runs a sweep again and again, one at a time; it keeps no process alive. */
export class Sweeper {
  readonly #sweep: () => Promise<unknown>
  readonly #logger: Logger
  #timer: NodeJS.Timeout | undefined
  #running: Promise<unknown> = Promise.resolve()
  #failing = false

  /** @param intervalMs Between the starts of two sweeps. 0: never. */
  constructor(intervalMs: number, logger: Logger, sweep: () => Promise<unknown>) {
    this.#sweep = sweep
    this.#logger = logger
    if (intervalMs > 0) {
      this.#timer = timers.setInterval(() => this.#tick(), intervalMs)
      this.#timer.unref()
    }
  }

  /** Ends the interval and waits for the sweep that runs. */
  async close(): Promise<void> {
    timers.clearInterval(this.#timer)
    await this.#running
  }

  #tick(): void {
    if (this.#busy) return
    this.#busy = true
    this.#running = this.#sweep()
      .then(
        () => {
          this.#failing = false
        },
        (error: unknown) => this.#report(error),
      )
      .finally(() => {
        this.#busy = false
      })
  }

  #busy = false

  #report(error: unknown): void {
    if (this.#failing) return
    this.#failing = true
    this.#logger.warn(
      { code: isError(error) && 'code' in error ? error.code : undefined },
      'user-session: the sweep failed; it is tried again',
    )
  }
}
