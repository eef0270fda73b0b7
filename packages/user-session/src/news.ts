import type { Clock } from '@authstate/spi'
import type { RemovalReason, UserSessionEvent } from './contract.js'
import type { Listeners } from './events.js'
import type { StepResult } from './session-records.js'
import type { StoredSession } from './stored.js'

/** Tells listeners what steps did. */
export class SessionNews {
  readonly #clock: Clock
  readonly #listeners: Listeners

  constructor(clock: Clock, listeners: Listeners) {
    this.#clock = clock
    this.#listeners = listeners
  }

  /** Tells what a step did, once it is done. @returns its answer */
  tell<T>({ answer, ends, created, detached }: StepResult<T>): T {
    if (ends !== undefined) {
      for (const { session, reason } of ends) {
        if (reason === 'expired') this.#session('expired', session)
        else this.#session('removed', session, reason)
      }
    }
    if (created !== undefined) this.#session('created', created)
    if (detached !== undefined) {
      const { session, clientIds, reason } = detached
      for (const clientId of clientIds)
        this.#listeners.emit('client-removed', { ...this.#about(session), clientId, reason })
    }
    return answer
  }

  #session(type: UserSessionEvent['type'], session: StoredSession, reason?: RemovalReason): void {
    if (!this.#listeners.has(type)) return
    const clientIds = [...session.clients.keys()]
    this.#listeners.emit(type, { ...this.#about(session), clientIds, ...(reason && { reason }) }, () => ({
      ...session.notes,
    }))
  }

  #about({ realmId, id: sessionId, offline, core: { userId } }: StoredSession) {
    return { realmId, sessionId, offline, userId, at: this.#clock.now() }
  }
}
