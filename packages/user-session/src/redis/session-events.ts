import { unescapePart } from '@authstate/redis'
import type { ProviderContext } from '@authstate/spi'
import type { RemovalReason, UserSession, UserSessionEvent } from '../contract.js'
import { Listeners } from '../events.js'
import type { Ended, Limited } from './replies.js'

/** Tells listeners what the scripts did. */
export class SessionEvents {
  readonly listeners: Listeners
  readonly #context: ProviderContext

  constructor(context: ProviderContext) {
    this.#context = context
    this.listeners = new Listeners(context.logger)
  }

  created({ realmId, id, offline, userId, clients }: UserSession): void {
    if (!this.listeners.has('created')) return
    this.listeners.emit('created', {
      realmId,
      sessionId: id,
      offline,
      userId,
      clientIds: [...clients.keys()],
      at: this.#context.clock.now(),
    })
  }

  removed(realmId: string, offline: boolean, ended: readonly Ended[], reason: RemovalReason): void {
    if (!this.listeners.has('removed')) return
    for (const one of ended) {
      this.listeners.emit('removed', { ...this.#about(realmId, offline, one), reason })
    }
  }

  /** What ended to make room for another. */
  limited(realmId: string, ended: readonly Limited[]): void {
    for (const one of ended) this.removed(realmId, one.offline, [one.ended], 'limit')
  }

  expired(realmId: string, offline: boolean, ended: Ended): void {
    if (this.listeners.has('expired')) this.listeners.emit('expired', this.#about(realmId, offline, ended))
  }

  #about(realmId: string, offline: boolean, { id, user, clients }: Ended): Omit<UserSessionEvent, 'type'> {
    return {
      realmId,
      sessionId: id,
      offline,
      ...(user !== '' && { userId: unescapePart(user) }),
      clientIds: clients.map(unescapePart),
      at: this.#context.clock.now(),
    }
  }
}
