import { timers } from '@authstate/spi/internal'
import { pause } from '../waits.js'

/** Lets so many records pass per second, whoever asks. */
export class Pace {
  readonly #perSecond: number
  #freeAtMs = 0

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  /** Most between two looks whether to go on, so that nobody waits for that for long. */
  get atATime(): number {
    return this.#share(8)
  }

  /** Most at once, so that what else the server is asked for does not wait for long. */
  get atOnce(): number {
    return this.#share(500)
  }

  #share(ofSecond: number): number {
    return Math.max(1, Math.min(512, Math.ceil(this.#perSecond / ofSecond)))
  }

  /** Resolves when so many may pass, or when it is over. */
  async take(count: number, signal: AbortSignal): Promise<void> {
    const nowMs = timers.monotonicMs()
    const waitMs = this.#freeAtMs - nowMs
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (count / this.#perSecond) * 1_000
    if (waitMs > 0) await pause(waitMs, signal)
  }
}
