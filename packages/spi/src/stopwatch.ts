import type { ProviderContext } from './provider.js'
import { timers } from './timers.js'

/**
 * A watch for spans inside a process: how long somebody has waited, or has heard nothing.
 *
 * It is monotonic, so a clock that is set, or steps with a failover, neither cuts a span short nor draws it out. Where the
 * application gave a clock the watch is that clock, so that a test moves both.
 *
 * @returns milliseconds since some moment
 */
export function stopwatchOf({ givenClock }: Pick<ProviderContext, 'givenClock'>): () => number {
  return givenClock === undefined ? timers.monotonicMs : () => givenClock.now()
}
