import { timers } from '@authstate/spi/internal'
import { pause } from '../waits.js'

/** How many times as long as for records, Redis serves others. */
const REST = 2

/** Limits how many records pass per second, over all callers. */
export class Pace {
  readonly #perSecond: number
  #freeAtMs = 0

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  /** Most records between two checks whether to go on, so that a cancel takes effect soon. */
  get atATime(): number {
    return this.#share(8)
  }

  /** Most records at once, so that other callers of the server do not wait for long. */
  get atOnce(): number {
    return this.#share(500)
  }

  #share(ofSecond: number): number {
    return Math.max(1, Math.min(512, Math.ceil(this.#perSecond / ofSecond)))
  }

  /** Redis took so long for some records: before the next ones it serves others for a multiple of that. */
  rest(ms: number): void {
    this.#freeAtMs = Math.max(this.#freeAtMs, timers.monotonicMs() + ms * REST)
  }

  /** Resolves when `count` records may pass, or when the signal aborts. */
  async take(count: number, signal: AbortSignal): Promise<void> {
    const nowMs = timers.monotonicMs()
    const waitMs = this.#freeAtMs - nowMs
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (count / this.#perSecond) * 1_000
    if (waitMs > 0) await pause(waitMs, signal)
  }
}
