import { allSteps } from '@authstate/spi'
import type { Script } from './script.js'

export const asItIs = <T>(reply: T): T => reply

/** Waits for calls of one script, all of them. @param isBegun calls of the same verb were made before */
export async function together<R>(
  { change }: Script,
  steps: readonly Promise<R>[],
  isBegun?: boolean,
): Promise<R[]> {
  if (change !== 'none') return allSteps([...steps], isBegun)
  // What only looks has done nothing, whatever failed.
  await Promise.allSettled(steps)
  return Promise.all(steps)
}
