import type { Logger } from '@authstate/spi'
import type { UserSessionEvent, UserSessionEventType, UserSessionListener } from './contract.js'

/** Who listens to what happens to sessions. */
export class Listeners {
  readonly #listeners = {
    created: new Set<UserSessionListener>(),
    removed: new Set<UserSessionListener>(),
    expired: new Set<UserSessionListener>(),
  } satisfies Record<UserSessionEventType, Set<UserSessionListener>>
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  add(type: UserSessionEventType, listener: UserSessionListener): () => void {
    // A function of its own, so that one listener can be added twice and taken away once.
    const entry: UserSessionListener = (event) => listener(event)
    this.#listeners[type].add(entry)
    return () => void this.#listeners[type].delete(entry)
  }

  has(type: UserSessionEventType): boolean {
    return this.#listeners[type].size > 0
  }

  tell(event: UserSessionEvent): void {
    for (const listener of this.#listeners[event.type]) {
      try {
        // A listener written as an async function fails through its promise.
        const returned: unknown = listener(event)
        if (returned instanceof Promise) returned.catch(() => this.#report(event))
      } catch {
        this.#report(event)
      }
    }
  }

  clear(): void {
    for (const listeners of Object.values(this.#listeners)) listeners.clear()
  }

  #report({ type }: UserSessionEvent): void {
    this.#logger.error({ event: type }, 'user-session: a listener failed')
  }
}
