import { timers } from './timers.js'

/** Steps that are taken before everybody else has a turn: a few milliseconds' worth. */
export const SLICE = 500

/**
 * Takes a step for each item, a slice at a time, for providers that keep their records in memory: nobody waits for all of them.
 * Between slices anything may happen, so a step looks at what is there when it is taken.
 */
export async function inSlices<T>(items: Iterable<T>, step: (item: T) => void): Promise<void> {
  let taken = 0
  for (const item of items) {
    if (taken > 0 && taken % SLICE === 0) await turn()
    taken += 1
    step(item)
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
