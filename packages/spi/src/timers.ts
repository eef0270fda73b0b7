/**
 * The timers of the moment when this library was loaded.
 *
 * Test runners put timers of their own in place of the host's (`jest.useFakeTimers()`, `vi.useFakeTimers()`), and these stand
 * still until somebody moves them: a connection to Redis that waits for one is dead. So whatever this library needs in order
 * to function waits with these, and never with the global ones. Time that decides about records is a `Clock`.
 */
export const timers = Object.freeze({
  setTimeout: globalThis.setTimeout.bind(globalThis) as typeof globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout.bind(globalThis),
  setInterval: globalThis.setInterval.bind(globalThis),
  clearInterval: globalThis.clearInterval.bind(globalThis),
  setImmediate: globalThis.setImmediate.bind(globalThis) as typeof globalThis.setImmediate,
  clearImmediate: globalThis.clearImmediate.bind(globalThis),
  queueMicrotask: globalThis.queueMicrotask.bind(globalThis),
  nextTick: process.nextTick.bind(process),
  /** Milliseconds since some moment; they never go back, whatever becomes of the host's clock. */
  monotonicMs: performance.now.bind(performance),
})
