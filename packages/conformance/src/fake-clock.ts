import type { Clock } from '@authstate/spi'

/** A clock that moves only when told to. */
export class FakeClock implements Clock {
  #now: number
  /** How far it may be off the clock of other nodes, in ms. Set it to test what is decided in doubt. */
  uncertaintyMs = 0

  /**
   * @param startMs Milliseconds since the epoch. @default 1_700_000_000_000
   * @throws {TypeError} it is no number
   */
  constructor(startMs = 1_700_000_000_000) {
    this.#now = checked(startMs, 'startMs')
  }

  now(): number {
    return this.#now
  }

  /** Moves by `ms`; a negative value is a clock that was set back. */
  advance(ms: number): void {
    this.#now += checked(ms, 'ms')
  }

  /** Sets the instant, in ms since the epoch. */
  set(now: number): void {
    this.#now = checked(now, 'now')
  }
}

/** A clock that shows no time decides everything one way: `expiresAt <= NaN` is never true. */
function checked(value: number, name: string): number {
  if (Number.isFinite(value)) return value
  throw new TypeError(`"${name}" must be a number of milliseconds`)
}
