import { show } from './show.js'

/**
 * Hears of errors that nobody waits for: the rejection of a promise that was let go, an exception in a callback. A
 * process without a listener for them ends, and with it a report.
 */
export class Strays {
  readonly #errors: unknown[] = []
  readonly #note = (error: unknown): void => void this.#errors.push(error)

  listen(): void {
    process.on('uncaughtException', this.#note)
    process.on('unhandledRejection', this.#note)
  }

  stop(): void {
    process.off('uncaughtException', this.#note)
    process.off('unhandledRejection', this.#note)
  }

  /** Waits a turn, since Node tells of them after the work that made them. @throws the first since it was asked last */
  readonly settle = async (): Promise<void> => {
    await new Promise((done) => setImmediate(done))
    const [first, ...more] = this.#errors.splice(0)
    if (first === undefined) return
    const others = more.length === 0 ? '' : ` (and ${more.length} more)`
    throw new Error(`nobody waited for ${show(first, 900)}${others}`, { cause: first })
  }
}
