/** Between two warnings of one kind. */
const LEAST_MS = 10_000

/** Says a thing once in ten seconds, with how often it happened since. */
export class RareWarning {
  readonly #nowMs: () => number
  #saidAtMs = Number.NEGATIVE_INFINITY
  #count = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** It happened. Answers how often since it was said last, if it is to be said now. */
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
