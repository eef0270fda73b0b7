import { timers } from '@authstate/spi/internal'

/** For how long what is said once is only counted. */
export const QUIET_MS = 10_000

/** What waits. */
export type Time = Pick<typeof timers, 'setTimeout' | 'clearTimeout'>

interface Repeated {
  count: number
  readonly say: (count: number) => void
  timer: ReturnType<typeof setTimeout>
}

/** Says something at once, and of what is alike within {@link QUIET_MS} only how often it was. */
export class Limiter {
  readonly #time: Time
  readonly #repeated = new Map<string, Repeated>()

  constructor(time: Time = timers) {
    this.#time = time
  }

  /**
   * @param alike What has the same text is alike. It must come out of a closed set.
   * @param say `count` is how many there were since it was said last: 1 the first time.
   */
  say(alike: string, say: (count: number) => void): void {
    const repeated = this.#repeated.get(alike)
    if (repeated !== undefined) {
      repeated.count += 1
      return
    }
    say(1)
    this.#repeated.set(alike, { count: 0, say, timer: this.#wait(alike) })
  }

  /** Says what was only counted so far, and waits for nothing any more. */
  end(): void {
    for (const { count, say, timer } of this.#repeated.values()) {
      this.#time.clearTimeout(timer)
      if (count > 0) say(count)
    }
    this.#repeated.clear()
  }

  #wait(alike: string): ReturnType<typeof setTimeout> {
    return this.#time.setTimeout(() => this.#over(alike), QUIET_MS).unref()
  }

  #over(alike: string): void {
    const repeated = this.#repeated.get(alike)
    if (repeated === undefined) return
    if (repeated.count === 0) {
      this.#repeated.delete(alike)
      return
    }
    const { count, say } = repeated
    repeated.count = 0
    repeated.timer = this.#wait(alike)
    say(count)
  }
}
