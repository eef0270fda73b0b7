/** Shortest time between two warnings of one kind. */
const LEAST_MS = 10_000

/** Lets a warning through once in ten seconds, with how often it happened since. */
export class RareWarning {
  readonly #nowMs: () => number
  #saidAtMs = Number.NEGATIVE_INFINITY
  #count = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** It happened. Returns how often since the last warning if it is time for one, else `undefined`. */
  say(): number | undefined {
    this.#count += 1
    const now = this.#nowMs()
    if (now - this.#saidAtMs < LEAST_MS) return undefined
    const count = this.#count
    this.#saidAtMs = now
    this.#count = 0
    return count
  }
}
