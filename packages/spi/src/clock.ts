/** Source of the current time. Every store decides with it, so that a test can move it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
}

/** The host's wall clock. */
export const systemClock: Clock = { now: () => Date.now() }
