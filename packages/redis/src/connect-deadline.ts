import { timers } from '@authstate/spi/internal'

/** What tells the time and wakes up. */
export type Time = Pick<typeof timers, 'setTimeout' | 'clearTimeout' | 'monotonicMs'>

/** The one span in which a client is asked for credentials, connects, and hears its first answer. It begins when it is made. */
export class ConnectDeadline {
  /** How long the span is. */
  readonly ms: number
  readonly time: Time
  readonly #endsAt: number

  constructor(ms: number, time: Time = timers) {
    this.ms = ms
    this.time = time
    this.#endsAt = time.monotonicMs() + ms
  }

  /** How much of it is left; never below 0. */
  leftMs(): number {
    return Math.max(0, this.#endsAt - this.time.monotonicMs())
  }
}
