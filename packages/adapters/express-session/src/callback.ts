import * as node from 'node:timers'

/** That of the moment of import: what replaces timers in a test does not stop it. */
const timers = { setImmediate: node.setImmediate }

/** How frameworks of callbacks are answered. */
export type Callback<T = void> = (error?: unknown, value?: T) => void

/**
 * Answers a callback when a promise is settled; without one, the promise is the answer. What the callback throws is the
 * application's, and is no failure of the promise.
 */
export function answer<T>(promise: Promise<T>, callback: Callback<T> | undefined): Promise<T> | undefined {
  if (typeof callback !== 'function') return promise
  promise.then(
    (value) => timers.setImmediate(() => callback(null, value)),
    (error: unknown) => timers.setImmediate(() => callback(error)),
  )
  return undefined
}
