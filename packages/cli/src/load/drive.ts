import { Histogram } from './histogram.js'

/** What is asked for. */
export interface Plan {
  readonly rps: number
  readonly durationMs: number
  /** Operations that are under way at once, at most: what is due beyond that waits, and its time runs. */
  readonly maxInFlight: number
}

/** Time, so that a test can be its own. */
export interface Pace {
  /** Milliseconds since some moment. */
  now(): number
  pause(ms: number): Promise<void>
}

/** Times of operations, ms, from when each was due. */
export interface Times {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** What was measured. */
export interface Measured {
  readonly elapsedMs: number
  /** Operations that were due. */
  readonly due: number
  readonly done: number
  readonly perSecond: number
  readonly times: Times
  /** By kind: a code of an error, `unfinished`, `not started`. */
  readonly errors: Readonly<Record<string, number>>
}

/** What is said about each second. */
export interface Second {
  readonly elapsedMs: number
  readonly perSecond: number
  readonly times: Times
  readonly inFlight: number
  readonly errors: number
}

/** Kinds of errors that are counted separately. */
const MOST_KINDS = 20
/** How long what is under way is waited for at the end. */
const REST_MS = 10_000
const LONGEST_PAUSE_MS = 5

/**
 * Starts each operation when it is due, even if earlier ones still run, and measures it from that
 * time. If a server stalls, every operation that was due meanwhile is counted, with the time that a
 * user would have waited. Memory does not grow with the duration.
 *
 * @param operate Resolves when an operation is done.
 * @param kindOf The kind of an error.
 */
export async function drive(
  { rps, durationMs, maxInFlight }: Plan,
  operate: (n: number) => Promise<void>,
  kindOf: (error: unknown) => string,
  { now, pause }: Pace,
  signal: AbortSignal,
  onSecond: (second: Second) => void = () => {},
): Promise<Measured> {
  const all = new Histogram()
  let second = new Histogram()
  const errors = new Map<string, number>()
  const startedAt = now()
  const planned = Math.max(1, Math.floor((rps * durationMs) / 1_000))
  const dueAt = (n: number) => startedAt + (n * 1_000) / rps
  let next = 0
  let inFlight = 0
  let failed = 0
  let secondAt = startedAt

  const fail = (kind: string, count = 1) => {
    const told = errors.has(kind) || errors.size < MOST_KINDS ? kind : 'other'
    errors.set(told, (errors.get(told) ?? 0) + count)
  }
  const start = async (n: number): Promise<void> => {
    try {
      await operate(n)
      const ms = now() - dueAt(n)
      all.add(ms)
      second.add(ms)
    } catch (error) {
      failed += 1
      fail(kindOf(error))
    }
    inFlight -= 1
  }

  while (!signal.aborted) {
    const at = now()
    while (next < planned && inFlight < maxInFlight && dueAt(next) <= at) {
      inFlight += 1
      void start(next)
      next += 1
    }
    if (at - secondAt >= 1_000) {
      const perSecond = (second.count * 1_000) / (at - secondAt)
      onSecond({ elapsedMs: at - startedAt, perSecond, times: timesOf(second), inFlight, errors: failed })
      second = new Histogram()
      secondAt = at
    }
    if (next === planned && inFlight === 0) break
    if (at - startedAt > durationMs + REST_MS) break
    const untilNext = next < planned ? dueAt(next) - now() : LONGEST_PAUSE_MS
    await pause(Math.max(0, Math.min(untilNext, LONGEST_PAUSE_MS)))
  }
  const elapsedMs = now() - startedAt
  const due = Math.max(next, Math.min(planned, Math.floor((rps * elapsedMs) / 1_000)))
  if (inFlight > 0) fail('unfinished', inFlight)
  if (due > next) fail('not started', due - next)
  return {
    elapsedMs,
    due,
    done: all.count,
    perSecond: (all.count * 1_000) / Math.max(elapsedMs, 1),
    times: timesOf(all),
    errors: Object.fromEntries([...errors].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}

const timesOf = (histogram: Histogram): Times => ({
  p50: histogram.percentile(0.5),
  p90: histogram.percentile(0.9),
  p99: histogram.percentile(0.99),
  p999: histogram.percentile(0.999),
  max: histogram.max,
})
