import { beganBefore, type Clock, inSlices, isExpired, laterMark } from '@authstate/spi'
import type { ClientRemovalReason, RefusalReason, RemovalReason, UserSessionEvent } from '../contract.js'
import type { Listeners } from '../events.js'
import { hasLimit, type Limits, makeRoom, type Newcomer } from '../limits.js'
import { FENCE_MS } from '../moments.js'
import { dropClient, liveClient, type StoredSession } from '../stored.js'
import { SessionTable } from './table.js'

/** Every session of this process, the marks that refuse late creations, and who is told. */
export class Sessions {
  readonly listeners: Listeners
  readonly #clock: Clock
  readonly #tables = new Map<string, SessionTable>()
  readonly #marks = new Map<string, { readonly mark: string; readonly expiresAt: number }>()

  constructor(clock: Clock, listeners: Listeners) {
    this.#clock = clock
    this.listeners = listeners
  }

  table(realmId: string, offline: boolean): SessionTable {
    const name = nameOf(realmId, offline)
    const table = this.#tables.get(name) ?? new SessionTable()
    this.#tables.set(name, table)
    return table
  }

  tables(): SessionTable[] {
    return [...this.#tables.values()]
  }

  live(realmId: string, id: string, offline: boolean, now: number): StoredSession | undefined {
    const session = this.#tables.get(nameOf(realmId, offline))?.get(id)
    return session === undefined || isExpired(session.expiresAt, now) ? undefined : session
  }

  add(session: StoredSession): void {
    this.table(session.realmId, session.offline).put(session)
    this.tell('created', session)
  }

  /** Ends a session and says why. */
  end(session: StoredSession, reason: RemovalReason): void {
    this.table(session.realmId, session.offline).delete(session)
    this.tell('removed', session, reason)
  }

  /** Takes away a session that is over. */
  expire(session: StoredSession): void {
    this.table(session.realmId, session.offline).delete(session)
    this.tell('expired', session)
  }

  /** Whether a session is there, and not another one of its id. */
  holds(session: StoredSession): boolean {
    return this.#tables.get(nameOf(session.realmId, session.offline))?.has(session) === true
  }

  /** Notes what was written to a session, if it is still there. */
  keep(session: StoredSession): void {
    if (this.holds(session)) this.table(session.realmId, session.offline).put(session)
  }

  /** Ends a client session and says why. */
  detach(session: StoredSession, clientId: string, reason: ClientRemovalReason): void {
    dropClient(session, clientId, this.#clock.now())
    this.keep(session)
    this.tellClient(session, clientId, reason)
  }

  /**
   * Ends as many sessions of a user as the limits ask for before the newcomer is there, or none and says why not.
   *
   * @param clientId The client that the newcomer brings.
   */
  makeRoom(
    { realmId, id, offline, core: { userId } }: Pick<StoredSession, 'realmId' | 'id' | 'offline' | 'core'>,
    adds: Newcomer['adds'],
    clientId: string | undefined,
    limits: Limits,
  ): RefusalReason | undefined {
    const newcomer: Newcomer = { id, adds, bringsClient: clientId !== undefined && !offline }
    if (!hasLimit(newcomer, limits)) return undefined
    const now = this.#clock.now()
    const rivals = [false, true].flatMap((isOffline) =>
      [...this.table(realmId, isOffline).ofUser(userId).after(now)]
        .filter((session) => session.id !== id || session.offline !== offline)
        .map((session) => ({
          id: session.id,
          offline: session.offline,
          startedAt: session.startedAt,
          lastRefreshAt: session.lastRefreshAt,
          atClient: clientId !== undefined && liveClient(session, clientId, now) !== undefined,
          session,
        })),
    )
    const room = makeRoom(rivals, newcomer, limits)
    if ('refused' in room) return room.refused
    for (const { session } of room.ends) this.end(session, 'limit')
    return undefined
  }

  /** Refuses from now on what began before a removal. @param userId Left out: of the whole realm. */
  raiseFence(realmId: string, userId: string | undefined, offline: boolean, mark: string): void {
    const name = nameOf(realmId, offline, userId)
    const expiresAt = this.#clock.now() + FENCE_MS
    this.#marks.set(name, { mark: laterMark(this.#marks.get(name)?.mark, mark), expiresAt })
  }

  refuses(realmId: string, userId: string, offline: boolean, beginning: string): boolean {
    return [undefined, userId].some((user) => {
      const held = this.#marks.get(nameOf(realmId, offline, user))
      return held !== undefined && beganBefore(beginning, held.mark)
    })
  }

  /** Frees what is needed no more besides sessions. */
  async prune(): Promise<void> {
    const now = this.#clock.now()
    await inSlices(this.#marks, ([name, { expiresAt }]) => {
      if (isExpired(expiresAt, now)) this.#marks.delete(name)
    })
    await inSlices(this.#tables, ([name, table]) => {
      if (table.size === 0) this.#tables.delete(name)
    })
  }

  clear(): void {
    this.#tables.clear()
    this.#marks.clear()
  }

  tell(type: UserSessionEvent['type'], session: StoredSession, reason?: RemovalReason): void {
    if (!this.listeners.has(type)) return
    const clientIds = [...session.clients.keys()]
    this.listeners.emit(type, { ...this.#about(session), clientIds, ...(reason && { reason }) }, () => ({
      ...session.notes,
    }))
  }

  tellClient(session: StoredSession, clientId: string, reason: ClientRemovalReason): void {
    this.listeners.emit('client-removed', { ...this.#about(session), clientId, reason })
  }

  #about({ realmId, id: sessionId, offline, core: { userId } }: StoredSession) {
    return { realmId, sessionId, offline, userId, at: this.#clock.now() }
  }
}

const nameOf = (...parts: (string | boolean | undefined)[]): string => JSON.stringify(parts)
