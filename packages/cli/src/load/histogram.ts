/** Each bucket ends 1.5 % behind the one before: that is how far a percentile is off. */
const STEP = Math.log(1.015)
/** Up to more than a hundred seconds, in microseconds. */
const BUCKETS = 1_300

/** Counts times, in the same memory however many there are. */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS)
  #count = 0
  #max = 0

  get count(): number {
    return this.#count
  }

  /** The longest, ms. */
  get max(): number {
    return this.#max
  }

  add(ms: number): void {
    const bucket = ms <= 0.001 ? 0 : Math.min(Math.ceil(Math.log(ms * 1_000) / STEP), BUCKETS - 1)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#count += 1
    if (ms > this.#max) this.#max = ms
  }

  /** The time that this share took at most, ms; 0 where nothing was counted. */
  percentile(share: number): number {
    let left = Math.ceil(this.#count * share)
    if (left === 0) return 0
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count
      if (left <= 0) return Math.min(Math.exp(bucket * STEP) / 1_000, this.#max)
    }
    return this.#max
  }
}
