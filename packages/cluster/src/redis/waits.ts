import { timers } from '@authstate/spi/internal'

/**
 * The one wait of a reader, which others can end.
 *
 * Nothing outlives a wait: what is raced against one promise for as long as a connection lasts piles up in it.
 */
export class Waits {
  /** Ends the wait with an error. */
  giveUp: (error: Error) => void = () => {}
  #wake: () => void = () => {}
  #isBehind = false

  /** Something is there that was not read: a wait between two questions ends. */
  readNow(): void {
    this.#isBehind = true
    this.#wake()
  }

  /** What is there by now will be read. */
  reads(): void {
    this.#isBehind = false
  }

  /** Waits for an answer, until it is late. */
  within<T>(ms: number, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = timers.setTimeout(() => reject(new Error('no answer in time')), ms).unref()
      const fail = (error: Error) => {
        timers.clearTimeout(timer)
        reject(error)
      }
      this.giveUp = fail
      answer.then((value) => {
        timers.clearTimeout(timer)
        resolve(value)
      }, fail)
    })
  }

  /** Waits until something has to be read, for so long at most; answers whether something has. */
  untilBehind(ms: number): Promise<boolean> {
    if (this.#isBehind) return Promise.resolve(true)
    return new Promise((resolve, reject) => {
      const timer = timers.setTimeout(() => resolve(false), ms).unref()
      const end = () => timers.clearTimeout(timer)
      this.#wake = () => {
        end()
        resolve(true)
      }
      this.giveUp = (error) => {
        end()
        reject(error)
      }
    })
  }
}
