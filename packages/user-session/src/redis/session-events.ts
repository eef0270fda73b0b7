import { unescapePart } from '@authstate/redis'
import type { Clock } from '@authstate/spi'
import type { ClientRemovalReason, RemovalReason, UserSession, UserSessionEvent } from '../contract.js'
import type { Listeners } from '../events.js'
import type { RecordCodec } from './record.js'
import type { Detached, Ended, Limited } from './replies.js'

/** Tells listeners what the scripts did. */
export class SessionEvents {
  readonly listeners: Listeners
  readonly #clock: Clock
  readonly #codec: RecordCodec

  constructor(clock: Clock, codec: RecordCodec, listeners: Listeners) {
    this.#clock = clock
    this.#codec = codec
    this.listeners = listeners
  }

  /** Whether a script answers the notes of sessions that it ends. */
  get notes(): 'notes' | '' {
    return this.listeners.asksNotes('removed') || this.listeners.asksNotes('expired') ? 'notes' : ''
  }

  /** Whether a script answers which client sessions it ends. */
  get clients(): 'clients' | '' {
    return this.listeners.has('client-removed') ? 'clients' : ''
  }

  /** Whether a script answers which sessions it ends, and with their notes. */
  sessions(type: 'removed' | 'expired'): 'notes' | 0 | 1 {
    if (this.listeners.asksNotes(type)) return 'notes'
    return this.listeners.has(type) ? 1 : 0
  }

  created({ realmId, id, offline, userId, clients }: UserSession): void {
    if (!this.listeners.has('created')) return
    this.listeners.emit('created', {
      realmId,
      sessionId: id,
      offline,
      userId,
      clientIds: [...clients.keys()],
      at: this.#clock.now(),
    })
  }

  removed(realmId: string, offline: boolean, ended: readonly Ended[], reason: RemovalReason): void {
    if (!this.listeners.has('removed')) return
    for (const session of ended) this.#tell('removed', realmId, offline, session, reason)
  }

  /** What ended to make room for another. */
  limited(realmId: string, ended: readonly Limited[]): void {
    for (const { offline, ended: session } of ended) this.removed(realmId, offline, [session], 'limit')
  }

  expired(realmId: string, offline: boolean, ended: Ended): void {
    if (this.listeners.has('expired')) this.#tell('expired', realmId, offline, ended)
  }

  /** @param clientId As it is, not escaped. */
  clientRemoved(
    realmId: string,
    offline: boolean,
    session: Detached,
    clientId: string,
    reason: ClientRemovalReason,
  ): void {
    if (!this.listeners.has('client-removed')) return
    this.listeners.emit('client-removed', { ...this.#about(realmId, offline, session), clientId, reason })
  }

  #tell(
    type: 'removed' | 'expired',
    realmId: string,
    offline: boolean,
    ended: Ended,
    reason?: RemovalReason,
  ): void {
    const { id, data, clients } = ended
    const fields: Omit<UserSessionEvent, 'type'> = {
      ...this.#about(realmId, offline, ended),
      clientIds: clients.map(unescapePart),
      ...(reason && { reason }),
    }
    this.listeners.emit(type, fields, () =>
      data === undefined ? undefined : this.#codec.notesOf(data, { realmId, id, offline }),
    )
  }

  #about(realmId: string, offline: boolean, { id, user }: Detached) {
    const userId = user === '' ? undefined : unescapePart(user)
    return {
      realmId,
      sessionId: id,
      offline,
      ...(userId !== undefined && { userId }),
      at: this.#clock.now(),
    }
  }
}
