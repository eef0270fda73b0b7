/** How much two clocks may drift apart: 200 ppm, what a quartz and its time service do at most in normal operation. */
export const DRIFT = 200e-6

/** Between which bounds a clock is off the monotonic clock of this process, in us, and when that was known. */
export interface Interval {
  readonly low: number
  readonly high: number
  /** By the monotonic clock, in us. */
  readonly at: number
}

/**
 * What one question tells: the answer was read somewhere between asking and hearing it, however the delay was divided. The
 * clocks may have drifted meanwhile.
 *
 * @param answer What the other clock said, in us.
 * @param asked By the monotonic clock, in us, as is `heard`.
 */
export function measured(answer: number, asked: number, heard: number): Interval {
  return widened({ low: answer - heard, high: answer - asked, at: asked }, heard)
}

/** What is left of an interval at a later time: wider by the drift on both sides. */
export function widened({ low, high, at }: Interval, now: number): Interval {
  const drift = Math.max(0, now - at) * DRIFT
  return { low: low - drift, high: high + drift, at: now }
}

/** Where both are right, as of the newer one; `undefined`: they contradict each other, so the other clock was set. */
export function intersected(known: Interval, newer: Interval): Interval | undefined {
  const before = widened(known, newer.at)
  const low = Math.max(before.low, newer.low)
  const high = Math.min(before.high, newer.high)
  return low <= high ? { low, high, at: newer.at } : undefined
}
