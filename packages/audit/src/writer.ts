import type { Logger } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { AuditLine, AuditStats } from './contract.js'
import type { AuditStore } from './store.js'

/** Lines of actions that wait for a sink. */
const MOST_WAITING = 1_000
/** Until a sink that failed is tried again. */
const AGAIN_MS = 1_000

/** Hands lines to a sink: what it does not take in time has failed, and lines of actions wait for it. */
export class Writer {
  readonly #store: AuditStore
  readonly #logger: Logger
  readonly #timeoutMs: number
  #waiting: AuditLine[] = []
  #timer: NodeJS.Timeout | undefined
  #isRetrying = false
  #written = 0
  #lost = 0
  #failures = 0

  constructor(store: AuditStore, logger: Logger, timeoutMs: number) {
    this.#store = store
    this.#logger = logger
    this.#timeoutMs = timeoutMs
  }

  stats(): Pick<AuditStats, 'written' | 'waiting' | 'lost' | 'failures'> {
    return {
      written: this.#written,
      waiting: this.#waiting.length,
      lost: this.#lost,
      failures: this.#failures,
    }
  }

  /** @throws whatever the sink failed with, or that it took too long */
  async write(lines: readonly AuditLine[], signal?: AbortSignal): Promise<void> {
    const abort = new AbortController()
    const stop = () => abort.abort()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = timers.setTimeout(
        () => reject(new Error('the sink of the audit took too long')),
        this.#timeoutMs,
      )
    })
    signal?.addEventListener('abort', stop, { once: true })
    try {
      await Promise.race([this.#append(lines, abort.signal), late])
      this.#written += lines.length
    } catch (error) {
      this.#failures += 1
      abort.abort()
      throw error
    } finally {
      timers.clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Writes a line of an action, or lets it wait. Never rejects. */
  async note(line: AuditLine): Promise<void> {
    // Behind those that wait, and nobody waits for a sink that has just failed.
    if (this.#waiting.length > 0) {
      this.#keep(line)
      return
    }
    try {
      await this.write([line])
    } catch (error) {
      this.#logger.error(
        { reason: error instanceof Error ? error.name : typeof error },
        'audit: a line cannot be written; it waits',
      )
      this.#keep(line)
    }
  }

  /** Tries once more to write what waits. */
  async close(): Promise<void> {
    timers.clearTimeout(this.#timer)
    if (this.#waiting.length === 0) return
    await this.#retry()
    timers.clearTimeout(this.#timer)
    if (this.#waiting.length === 0) return
    this.#logger.error({ lines: this.#waiting.length }, 'audit: lines of actions are lost: its sink failed')
    this.#lost += this.#waiting.length
    this.#waiting = []
  }

  /** A sink may throw before it answers a promise. */
  async #append(lines: readonly AuditLine[], signal: AbortSignal): Promise<void> {
    await this.#store.append(lines, signal)
  }

  #keep(line: AuditLine): void {
    this.#waiting.push(line)
    if (this.#waiting.length > MOST_WAITING) {
      if (this.#lost === 0)
        this.#logger.error({}, 'audit: lines of actions are lost: its sink failed for too long')
      this.#lost += 1
      this.#waiting.shift()
    }
    this.#retryLater()
  }

  #retryLater(): void {
    timers.clearTimeout(this.#timer)
    this.#timer = timers.setTimeout(() => void this.#retry(), AGAIN_MS)
    this.#timer.unref()
  }

  async #retry(): Promise<void> {
    if (this.#isRetrying) return
    this.#isRetrying = true
    const lines = [...this.#waiting]
    try {
      await this.write(lines)
      const done = new Set(lines)
      this.#waiting = this.#waiting.filter((line) => !done.has(line))
    } catch {
      // It is told by stats, by health, and was told to the log.
    }
    this.#isRetrying = false
    if (this.#waiting.length > 0) this.#retryLater()
  }
}
