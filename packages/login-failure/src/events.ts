import { assertFunction, assertOneOf, type Logger } from '@authstate/spi'
import type { LoginFailureEvents } from './contract.js'

type EventName = keyof LoginFailureEvents
type Listener = (event: LoginFailureEvents[EventName]) => void

const NAMES = [
  'temporary-lock',
  'permanent-lock',
  'unlock',
  'success-after-failures',
] as const satisfies readonly EventName[]

/** Tells listeners what happened. None of them can harm the caller or another listener. */
export class Events {
  readonly #logger: Logger
  readonly #listeners = new Map<EventName, Set<Listener>>()
  #failureTold = false

  constructor(logger: Logger) {
    this.#logger = logger
  }

  on<E extends EventName>(event: E, listener: (event: LoginFailureEvents[E]) => void): () => void {
    assertOneOf(event, 'event', NAMES)
    assertFunction(listener, 'listener')
    const listeners = this.#listeners.get(event) ?? new Set<Listener>()
    this.#listeners.set(event, listeners)
    // A function of its own, so that the same listener can be added twice and each taken away.
    const own: Listener = (value) => listener(value as LoginFailureEvents[E])
    listeners.add(own)
    return () => {
      listeners.delete(own)
    }
  }

  emit<E extends EventName>(event: E, value: LoginFailureEvents[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        // A listener written as an async function fails through its promise.
        const returned: unknown = listener(value)
        if (returned instanceof Promise) returned.catch(() => this.#report())
      } catch {
        this.#report()
      }
    }
  }

  clear(): void {
    this.#listeners.clear()
  }

  #report(): void {
    if (this.#failureTold) return
    this.#failureTold = true
    this.#logger.error(
      {},
      'login-failure: a listener of an event failed; later failures of listeners are not logged',
    )
  }
}
