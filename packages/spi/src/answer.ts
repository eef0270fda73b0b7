import { isPromiseLike } from './emitter.js'

/** What a verb of a store answers: at once where the store has it at hand, or later. */
export type Answer<T> = T | Promise<T>

/** What `next` makes of an answer: at once where the answer is at hand, so that a store in memory costs no promise. */
export function mapAnswer<T, R>(answer: Answer<T>, next: (value: T) => R): Answer<R> {
  return isPromiseLike(answer) ? (answer as Promise<T>).then(next) : next(answer as T)
}
