import { openSync, readSync } from 'node:fs'
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'

/** How long others had to wait for their turn while something ran. */
export interface Blocks {
  /** From the call to its answer. */
  readonly totalMs: number
  /** Turns of the event loop that were had meanwhile. */
  readonly turns: number
  /** The longest turn. */
  readonly longestMs: number
  /** The longest turn in which the garbage collector hardly ran. */
  readonly longestOwnMs: number
}

/** A turn in which the collector took less counts as one without it. */
const HARDLY_MS = 1

interface Span {
  readonly from: number
  readonly to: number
}

interface Mark {
  readonly at: number
  readonly cpuMs: number
}

/**
 * What this thread has had of a core so far, in ms: on a machine that others use, a turn also lasts while they run, and that is
 * not the fault of what is measured. Linux tells it; elsewhere time has to do.
 */
const cpuMs = ((): (() => number) => {
  try {
    const file = openSync('/proc/thread-self/schedstat', 'r')
    const buffer = Buffer.alloc(64)
    const read = () =>
      Number.parseInt(buffer.toString('latin1', 0, readSync(file, buffer, 0, 64, 0)), 10) / 1e6
    return read() >= 0 ? read : () => performance.now()
  } catch {
    return () => performance.now()
  }
})()

/** Does something, and looks at every turn of the event loop until it has ended. */
export async function blocksDuring(work: () => Promise<unknown>): Promise<Blocks> {
  const collections: Span[] = []
  const note = (entries: readonly PerformanceEntry[]) => {
    for (const { startTime, duration } of entries)
      collections.push({ from: startTime, to: startTime + duration })
  }
  const observer = new PerformanceObserver((list) => note(list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  const marks: Mark[] = []
  const mark = () => marks.push({ at: performance.now(), cpuMs: cpuMs() })
  let isOver = false
  const tick = () => {
    mark()
    if (!isOver) setImmediate(tick)
  }
  mark()
  setImmediate(tick)
  const begun = performance.now()
  await work()
  const totalMs = performance.now() - begun
  isOver = true
  await new Promise((done) => setTimeout(done, 20))
  note(observer.takeRecords())
  observer.disconnect()
  return { totalMs, ...judge(marks, collections) }
}

/** Both lists are in order of time. */
function judge(marks: readonly Mark[], collections: readonly Span[]): Omit<Blocks, 'totalMs'> {
  let [longestMs, longestOwnMs, next] = [0, 0, 0]
  for (let n = 1; n < marks.length; n++) {
    const [before, after] = [marks[n - 1] as Mark, marks[n] as Mark]
    const ms = after.cpuMs - before.cpuMs
    while ((collections[next]?.to ?? Number.POSITIVE_INFINITY) <= before.at) next += 1
    let gcMs = 0
    for (let at = next; (collections[at]?.from ?? Number.POSITIVE_INFINITY) < after.at; at++) {
      const { from, to } = collections[at] as Span
      gcMs += Math.min(to, after.at) - Math.max(from, before.at)
    }
    longestMs = Math.max(longestMs, ms)
    if (gcMs < HARDLY_MS) longestOwnMs = Math.max(longestOwnMs, ms)
  }
  return { turns: marks.length - 1, longestMs, longestOwnMs }
}
