import { timers } from './timers.js'

/** Steps that are taken at most before everybody else has a turn. */
export const SLICE = 500

/** How long steps are taken at most before everybody else has a turn, but for the last of them. */
const SLICE_MS = 4

/** Steps between two looks at the watch. */
const LOOK_EVERY = 16

/**
 * Says before each step of a long walk whether the others come first: a slice ends after so many steps, and after a few
 * milliseconds, whatever a step costs.
 *
 * @param watchMs Milliseconds since some moment.
 * @returns a function to call before each step: what it answers has to be waited for
 */
export function slices(watchMs: () => number = timers.monotonicMs): () => Promise<void> | undefined {
  let taken = 0
  let begunMs = watchMs()
  const next = async (): Promise<void> => {
    await turn()
    taken = 1
    begunMs = watchMs()
  }
  return () => {
    if (taken === SLICE || (taken > 0 && taken % LOOK_EVERY === 0 && watchMs() - begunMs >= SLICE_MS))
      return next()
    taken += 1
    return undefined
  }
}

/**
 * Takes a step for each item, a slice at a time (see {@link slices}), for providers that keep their
 * records in memory: other calls do not have to wait for all items. Between slices anything may
 * happen, so a step reads the state at the time when it runs.
 */
export async function inSlices<T>(
  items: Iterable<T>,
  step: (item: T) => void,
  watchMs?: () => number,
): Promise<void> {
  const paced = slices(watchMs)
  const walk = items[Symbol.iterator]()
  for (;;) {
    // First the others, then the next item: taken before, it would not be what is there when its step is taken.
    const others = paced()
    if (others) await others
    const next = walk.next()
    if (next.done === true) return
    step(next.value)
  }
}

/**
 * The entries of a map, each as it is when the walk comes to it, and no more of them than the map has now: a walk in slices ends,
 * also while others add to the map.
 */
export function* entriesOfNow<K, V>(map: ReadonlyMap<K, V>): Generator<[K, V]> {
  // A map puts what is new behind what is old.
  let left = map.size
  for (const entry of map) {
    if (left === 0) return
    left -= 1
    yield entry
  }
}

/** Lets everybody else have a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void timers.setImmediate(resolve))
}
