const MOST = 60
const SPAN_MS = 60_000
const MOST_OPERATORS = 1_000

/** Holds each operator to 60 actions in a minute. */
export class Pace {
  readonly #now: () => number
  /** When the minute of an operator began, and what was done in it; the oldest first. */
  readonly #minutes = new Map<string, { readonly from: number; count: number }>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether one more may be done now. It is counted. */
  take(operatorId: string): boolean {
    const now = this.#now()
    const before = this.#minutes.get(operatorId)
    if (before !== undefined && now - before.from < SPAN_MS && now >= before.from) {
      before.count += 1
      return before.count <= MOST
    }
    this.#minutes.delete(operatorId)
    this.#minutes.set(operatorId, { from: now, count: 1 })
    for (const [oldest, { from }] of this.#minutes) {
      if (this.#minutes.size <= MOST_OPERATORS && now - from < SPAN_MS) break
      this.#minutes.delete(oldest)
    }
    return true
  }
}
