import { ProviderClosedError } from './errors.js'

/** Whether a provider, or a part of one, is still open: every verb asks it first. What is closed never opens again. */
export class Lifecycle {
  readonly #owner: string
  #isClosed = false

  /** @param owner Named in the error: `'user-session'`. */
  constructor(owner: string) {
    this.#owner = owner
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** @throws {ProviderClosedError} {@link close} was called */
  assertOpen(): void {
    if (this.#isClosed) throw this.closedError()
  }

  /** The error for callers that still wait when the provider closes. */
  closedError(): ProviderClosedError {
    return new ProviderClosedError(`${this.#owner}: the provider is closed`)
  }

  /** Calling it twice is the same as once. */
  close(): void {
    this.#isClosed = true
  }
}
