import type { Clock } from '@authstate/spi'
import type { Examination } from 'authstate/redis/doctor'
import { sentenceOf } from './trouble.js'
import { inTime } from './watch.js'

/** What the doctor said last. */
export interface Diagnosis {
  readonly examination?: Examination
  /** Why the examination after it came to nothing. */
  readonly failure?: string
  /** When one ended last, ms since the epoch; 0 before the first. */
  readonly at: number
}

const FRESH_MS = 30_000
const LATEST_MS = 10_000
const PATIENCE_MS = 8_000

/** Has Redis examined from time to time, once for all operators. */
export class Examiner {
  readonly #doctor: (() => Promise<Examination>) | undefined
  readonly #clock: Clock
  #diagnosis: Diagnosis = { at: 0 }
  #endedAt = Number.NEGATIVE_INFINITY
  #examining: Promise<void> | undefined

  constructor(doctor: (() => Promise<Examination>) | undefined, clock: Clock) {
    this.#doctor = doctor
    this.#clock = clock
  }

  /** Whether there is a doctor. */
  get isThere(): boolean {
    return this.#doctor !== undefined
  }

  /** What was said last; an examination begins where that is old. */
  glance(): Diagnosis {
    if (this.#age() > FRESH_MS) void this.#examine()
    return this.#diagnosis
  }

  /** What is true now, and of who is slow to answer what was said last. */
  async diagnose(isAgain: boolean): Promise<Diagnosis> {
    if (this.#age() > (isAgain ? LATEST_MS : FRESH_MS)) await inTime(this.#examine(), PATIENCE_MS)
    return this.#diagnosis
  }

  #age(): number {
    return Math.abs(this.#clock.now() - this.#endedAt)
  }

  #examine(): Promise<void> {
    const doctor = this.#doctor
    if (doctor === undefined) return Promise.resolve()
    this.#examining ??= (async () => {
      try {
        const examination = await doctor()
        this.#diagnosis = { examination, at: this.#clock.now() }
      } catch (error) {
        const { failure: _, ...before } = this.#diagnosis
        this.#diagnosis = { ...before, failure: sentenceOf(error), at: this.#clock.now() }
      }
      this.#endedAt = this.#clock.now()
      this.#examining = undefined
    })()
    return this.#examining
  }
}
