const NAMES = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
  'queueMicrotask',
] as const

/**
 * The timers of the moment when this library was loaded.
 *
 * Test runners put timers of their own in place of the host's (`jest.useFakeTimers()`, `vi.useFakeTimers()`), and these stand
 * still until somebody moves them: a connection to Redis that waits for one is dead. So whatever this library needs in order
 * to function waits with these, and never with the global ones. Time that decides about records is a `Clock`.
 */
export const timers = Object.freeze({
  ...(Object.fromEntries(NAMES.map((name) => [name, globalThis[name].bind(globalThis)])) as Pick<
    typeof globalThis,
    (typeof NAMES)[number]
  >),
  nextTick: process.nextTick.bind(process),
  /** Milliseconds since some moment; they never go back, whatever becomes of the host's clock. */
  monotonicMs: performance.now.bind(performance),
})
