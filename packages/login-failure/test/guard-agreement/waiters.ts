import { vi } from 'vitest'
import { Turns } from '../../src/turns.js'

/** Sees every caller that waits for its turn to be verified, on all providers of this process. */
export class Waiters {
  /** Callers that have not got their turn, by what they wait at. */
  readonly #waiting = new Map<Turns, (readonly string[])[]>()
  #tries = 0
  readonly #spy

  constructor() {
    const take = Turns.prototype.take
    const waiters = this
    this.#spy = vi.spyOn(Turns.prototype, 'take').mockImplementation(function (
      this: Turns,
      names: readonly string[],
      attempt: () => Promise<unknown>,
    ) {
      return waiters.#take(this, names, () => take.call(this, names, () => waiters.#try(attempt)))
    } as typeof take)
  }

  /** How many wait. */
  get size(): number {
    return [...this.#waiting.values()].reduce((size, all) => size + all.length, 0)
  }

  /** Whether one of them asks its store right now. */
  get areTrying(): boolean {
    return this.#tries > 0
  }

  /** Lets all of them look again now, as they do every now and then. */
  wake(): void {
    for (const [turns, all] of this.#waiting) turns.changed(all.flat())
  }

  close(): void {
    this.#spy.mockRestore()
  }

  async #take<T>(turns: Turns, names: readonly string[], take: () => Promise<T>): Promise<T> {
    const all = this.#waiting.get(turns) ?? []
    this.#waiting.set(turns, all)
    all.push(names)
    try {
      return await take()
    } finally {
      all.splice(all.indexOf(names), 1)
      if (all.length === 0) this.#waiting.delete(turns)
    }
  }

  async #try<T>(attempt: () => Promise<T>): Promise<T> {
    this.#tries += 1
    try {
      return await attempt()
    } finally {
      this.#tries -= 1
    }
  }
}
