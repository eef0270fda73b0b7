import { assertFunction, assertOneOf, type Logger } from '@authstate/spi'
import type { AuthSessionEvents } from './contract.js'

type EventName = keyof AuthSessionEvents
type Listener = (event: never) => void

const NAMES: readonly EventName[] = ['created', 'removed', 'tab-added', 'tab-removed', 'promoted']

/** The listeners of one provider. */
export class Listeners {
  readonly #logger: Logger
  readonly #byEvent = new Map<EventName, Set<{ readonly listener: Listener }>>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  add<E extends EventName>(event: E, listener: (event: AuthSessionEvents[E]) => void): () => void {
    assertOneOf(event, 'event', NAMES)
    assertFunction(listener, 'listener')
    const listeners = this.#byEvent.get(event) ?? new Set()
    // An object of its own: the same function may listen twice, and each stops for itself.
    const entry = { listener: listener as Listener }
    listeners.add(entry)
    this.#byEvent.set(event, listeners)
    return () => {
      listeners.delete(entry)
    }
  }

  tell<E extends EventName>(event: E, told: AuthSessionEvents[E]): void {
    for (const { listener } of this.#byEvent.get(event) ?? []) {
      try {
        const returned: unknown = (listener as (event: AuthSessionEvents[E]) => void)(told)
        if (returned instanceof Promise) returned.catch(() => this.#report(event))
      } catch {
        this.#report(event)
      }
    }
  }

  clear(): void {
    this.#byEvent.clear()
  }

  /** What a listener throws may hold an id: only that it did is said. */
  #report(event: EventName): void {
    this.#logger.error({ event }, 'auth-session: a listener failed')
  }
}
