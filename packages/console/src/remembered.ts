import { isAway } from './trouble.js'

/** Data, and when it was read. */
export interface Aged<T> {
  readonly data: T
  /** Ms since the epoch. */
  readonly at: number
  /** Why nothing newer was to be had. */
  readonly away?: unknown
}

const MOST = 100
const LIFE_MS = 3_600_000

/** What pages showed last, for the time in which the store is away. */
export class Remembered {
  readonly #pages = new Map<string, Aged<unknown>>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * What `load` answers, or what it answered last.
   *
   * @throws what `load` throws, when nothing is remembered or the store is not to blame
   */
  async read<T>(key: string, load: () => Promise<T>): Promise<Aged<T>> {
    try {
      const aged = { data: await load(), at: this.#now() }
      this.#pages.delete(key)
      this.#pages.set(key, aged)
      for (const [oldest] of this.#pages) {
        if (this.#pages.size <= MOST) break
        this.#pages.delete(oldest)
      }
      return aged
    } catch (error) {
      const last = this.#pages.get(key)
      if (last === undefined || !isAway(error) || this.#now() - last.at > LIFE_MS) throw error
      return { ...(last as Aged<T>), away: error }
    }
  }

  /** Forgets everything, after an action: it is no longer true. */
  clear(): void {
    this.#pages.clear()
  }
}
