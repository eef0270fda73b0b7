import { timers } from './timers.js'

/**
 * Source of the current time. Every store decides with it, so that a test can move it.
 *
 * A clock that only has `now` is complete: it is exact, in whole milliseconds, and known from the start. The other members
 * belong to a clock that several processes go by and that each of them has to measure, such as that of a Redis deployment.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number

  /** Microseconds since the Unix epoch, to order events within a millisecond. Left out: `now` times 1000. */
  nowUs?(): number

  /**
   * How far, in ms, `now` may be off the clock that the other nodes go by. What compares the instants of two nodes and
   * decides about security adds it on the side that refuses. Left out: 0.
   */
  readonly uncertaintyMs?: number

  /**
   * Resolves when the clock is known. It is not for a moment after the process was suspended or the host's clock was set:
   * what writes a mark that others compare with waits for it. Left out: it is always known.
   */
  settled?(): Promise<void>
}

/** The host's wall clock. */
export const systemClock: Clock = { now: () => Date.now() }

/** The microseconds of a clock, of one without them as well. */
export const microsecondsOf = (clock: Clock): number => clock.nowUs?.() ?? clock.now() * 1000

/** How far a clock may be off, in ms; 0 for one that does not say. */
export const uncertaintyOf = (clock: Clock): number => clock.uncertaintyMs ?? 0

const { now: wallNow } = Date

/**
 * The two clocks of the host, as they were when this module was loaded. The fake timers of a test
 * replace the global clocks, and a connection has to go on. Use them only to measure a clock;
 * decisions use a {@link Clock}.
 */
export const hostClocks = {
  /** Milliseconds since the Unix epoch, by the wall clock. It can be set. */
  wallMs: (): number => wallNow(),
  /** Milliseconds since the process began. It never goes back, and stands still while the machine is suspended. */
  monotonicMs: timers.monotonicMs,
}
