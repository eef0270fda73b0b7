import type { ProviderClosedError } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import { HttpError } from './errors.js'

/** Ends one request: after its time, when the caller gives up, or when the provider closes. */
export class Deadline {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #host: string
  readonly #given: AbortSignal | undefined
  readonly #onAbort = (): void => this.#end('aborted')
  /** Whether the target may have received something. */
  sent: 'no' | 'unknown' = 'no'

  constructor(deadlineMs: number, host: string, given: AbortSignal | undefined) {
    this.#host = host
    this.#given = given
    this.#timer = timers.setTimeout(() => this.#end('timeout'), deadlineMs)
    if (given?.aborted === true) this.#onAbort()
    else given?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Its reason is an {@link HttpError} or a {@link ProviderClosedError}. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Ends the request because the provider closes. */
  close(error: ProviderClosedError): void {
    this.#controller.abort(error)
  }

  /** What `work` answers, or the reason of the signal, whichever comes first. */
  race<T>(work: Promise<T>): Promise<T> {
    const { signal } = this
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason)
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
      const settle = (act: () => void) => {
        signal.removeEventListener('abort', onAbort)
        act()
      }
      work.then(
        (value) => settle(() => resolve(value)),
        (error) => settle(() => reject(error)),
      )
    })
  }

  /** Resolves after a pause, rejects with the reason of the signal. */
  pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const pause = new Promise<void>((resolve) => {
      timer = timers.setTimeout(resolve, ms)
    })
    return this.race(pause).finally(() => timers.clearTimeout(timer))
  }

  /**
   * Runs one attempt at the request, and ends what the attempt leaves behind: an answer that was refused before its end, and that
   * its server does not go on with. After a whole answer nothing is left.
   *
   * @param run Gets a signal that is aborted with the request, and when the attempt is over.
   */
  async attempt<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ending = new AbortController()
    const onAbort = (): void => ending.abort(this.signal.reason)
    if (this.signal.aborted) onAbort()
    else this.signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await run(ending.signal)
    } finally {
      this.signal.removeEventListener('abort', onAbort)
      if (!ending.signal.aborted)
        ending.abort(new HttpError('aborted', { sent: this.sent, host: this.#host }))
    }
  }

  /** The request is over: nothing ends it any more. */
  finish(): void {
    timers.clearTimeout(this.#timer)
    this.#given?.removeEventListener('abort', this.#onAbort)
  }

  #end(code: 'timeout' | 'aborted'): void {
    this.#controller.abort(new HttpError(code, { sent: this.sent, host: this.#host }))
  }
}
