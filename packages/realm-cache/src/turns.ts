import { Load, waitFor } from './loading.js'

interface Turn<T> {
  readonly load: Load
  readonly answer: Promise<T>
  next: Turn<T> | undefined
}

/**
 * Shares loads of which nothing may be kept: per key one runs, and one more waits for it.
 *
 * A call that comes while one runs cannot have its answer: it may have read before an invalidation
 * of which this node does not know. All calls that come meanwhile share the next one, which begins
 * after they came.
 */
export class Turns<T> {
  readonly #owner: object
  readonly #byKey = new Map<string, Turn<T>>()

  constructor(owner: object) {
    this.#owner = owner
  }

  call(key: string, run: (load: Load) => Promise<T>): Promise<T> {
    const current = this.#byKey.get(key)
    if (current === undefined) {
      const turn = this.#begin(new Load(this.#owner, key), run)
      return waitFor(turn.load, () => turn.answer)
    }
    current.next ??= this.#queue(current, run)
    const { load, answer } = current.next
    return waitFor(load, () => answer)
  }

  #begin(load: Load, run: (load: Load) => Promise<T>): Turn<T> {
    const turn: Turn<T> = { load, answer: run(load), next: undefined }
    this.#byKey.set(load.key, turn)
    const ended = () => {
      if (turn.next === undefined && this.#byKey.get(load.key) === turn) this.#byKey.delete(load.key)
    }
    turn.answer.then(ended, ended)
    return turn
  }

  #queue(current: Turn<T>, run: (load: Load) => Promise<T>): Turn<T> {
    const load = new Load(this.#owner, current.load.key)
    load.awaits.add(current.load)
    const begin = () => {
      load.awaits.delete(current.load)
      return this.#begin(load, run).answer
    }
    const answer = current.answer.then(begin, begin)
    // Whoever shares it hears of a failure; a caller that was refused before it began does not.
    answer.catch(() => {})
    return { load, answer, next: undefined }
  }
}
