import { timers } from '@authstate/spi'

/** Steps that are taken before everybody else has a turn: a few milliseconds' worth. */
export const SLICE = 500

/** Takes a step for each item, a slice at a time: nobody waits for all of them. */
export async function inSlices<T>(items: Iterable<T>, step: (item: T) => void): Promise<void> {
  let taken = 0
  for (const item of items) {
    if (taken > 0 && taken % SLICE === 0) await turn()
    taken += 1
    step(item)
  }
}

/** Lets everybody else have a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void timers.setImmediate(resolve))
}
