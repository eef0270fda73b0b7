import { type Clock, isExpired, jsonMap, type Realm } from '@authstate/spi'
import {
  type CheckedClient,
  type CheckedClientPatch,
  type CheckedCopy,
  type CheckedPatch,
  type CheckedSession,
  type CheckedSessionPage,
  otherUser,
} from '../checks.js'
import type {
  ClientTokenRotation,
  CreateOutcome,
  LimitedOutcome,
  RotationOutcome,
  TransientTokenRotation,
} from '../contract.js'
import { clientLives, type Lives, userLives } from '../expiry.js'
import type { Limits } from '../limits.js'
import { mergeNotes } from '../notes.js'
import type {
  EndedIndex,
  Removal,
  SessionIndex,
  SessionName,
  SessionStep,
  SessionStore,
  StoreParts,
} from '../store.js'
import {
  draft,
  expiryOf,
  liveClient,
  openClient,
  patchClient,
  putClient,
  type StoredSession,
  settle,
  settleClient,
  snapshot,
} from '../stored.js'
import { copyOffline, livesOffline, restart, wantedOf } from './copies.js'
import { detachAll, endAll, pageOf, recompute, statsOf, sweep } from './realm-wide.js'
import { Sessions } from './sessions.js'
import type { SortedSessions } from './sorted.js'
import { rotateIn, TransientFamilies } from './tokens.js'

/** Keeps sessions in this process: each step runs from beginning to end before another. */
export class MemoryStore implements SessionStore {
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #maxNotesBytes: number
  readonly #sessions: Sessions
  readonly #transient = new TransientFamilies()

  constructor({ context, config, limits, listeners }: StoreParts) {
    this.#clock = context.clock
    this.#limits = limits
    this.#maxNotesBytes = config.maxNotesBytes
    this.#sessions = new Sessions(context.clock, listeners)
  }

  refuses(realmId: string, { userId, login }: CheckedSession): boolean {
    return this.#sessions.refuses(realmId, userId, false, login.beginning)
  }

  async create({ realmId, id, realm, now }: SessionStep, checked: CheckedSession): Promise<CreateOutcome> {
    const stored = draft(realmId, id, checked, realm, now)
    const refused = this.refuses(realmId, checked)
      ? 'ended'
      : this.#sessions.makeRoom(stored, 'online', checked.client?.clientId, this.#limits)
    if (refused) return { outcome: 'refused', reason: refused }
    this.#sessions.add(stored)
    return { outcome: 'created', session: snapshot(stored, now) }
  }

  async load({ realmId, id, offline }: SessionName, clientId: string | undefined, now: number) {
    const session = this.#sessions.live(realmId, id, offline, now)
    if (session === undefined) return undefined
    if (clientId !== undefined && liveClient(session, clientId, now) === undefined) return undefined
    return snapshot(session, now, clientId)
  }

  async refresh(step: SessionStep, clientId: string | undefined) {
    return this.#write(step, (session, lives) => {
      const { now, realm } = step
      if (clientId !== undefined) {
        const client = openClient(session, clientId, realm, now)
        if (client === undefined) return undefined
        client.lastRefreshAt = Math.max(client.lastRefreshAt, now)
        settleClient(session, client, lives, clientLives(realm, clientId, session.offline))
      }
      session.lastRefreshAt = Math.max(session.lastRefreshAt, now)
      settle(session, lives)
      return snapshot(session, now, clientId)
    })
  }

  async touch(step: SessionStep, clientId: string | undefined) {
    const session = await this.refresh(step, clientId)
    return session && { lastRefreshAt: session.lastRefreshAt, expiresAt: session.expiresAt }
  }

  async update(step: SessionStep, { state, notes }: CheckedPatch) {
    return this.#write(step, (session, lives) => {
      session.notes = mergeNotes(session.notes, notes, this.#maxNotesBytes)
      settle(session, lives)
      if (state !== undefined) session.state = state ?? undefined
      return snapshot(session, step.now)
    })
  }

  async restart(step: SessionStep, begun: CheckedSession, isTooLate: boolean): Promise<LimitedOutcome> {
    const { realmId, realm, now } = step
    const restarted = this.#write(step, (session): LimitedOutcome => {
      if (session.core.userId !== begun.userId) throw otherUser()
      if (isTooLate) return { outcome: 'refused', reason: 'too-late' }
      const reason = this.refuses(realmId, begun)
        ? 'ended'
        : this.#sessions.makeRoom(session, 'client', begun.client?.clientId, this.#limits)
      if (reason) return { outcome: 'refused', reason }
      restart(this.#sessions, session, begun, realm, now)
      return { outcome: 'done', session: snapshot(session, now) }
    })
    return restarted ?? { outcome: 'gone' }
  }

  async remove({ realmId, id, offline }: SessionName, now: number) {
    const session = this.#sessions.live(realmId, id, offline, now)
    if (session) this.#sessions.end(session, 'removed')
    return session !== undefined
  }

  async putClient(step: SessionStep, client: CheckedClient): Promise<LimitedOutcome> {
    const { realm, now } = step
    const put = this.#write(step, (session, lives): LimitedOutcome => {
      if (openClient(session, client.clientId, realm, now) === undefined) {
        const reason = this.#sessions.makeRoom(session, 'client', client.clientId, this.#limits)
        if (reason) return { outcome: 'refused', reason }
      }
      settle(session, lives)
      const own = clientLives(realm, client.clientId, session.offline)
      settleClient(session, putClient(session, client, now), lives, own)
      return { outcome: 'done', session: snapshot(session, now) }
    })
    return put ?? { outcome: 'gone' }
  }

  async updateClient(step: SessionStep, patch: CheckedClientPatch) {
    const { realm, now } = step
    return this.#write(step, (session, lives) => {
      const client = openClient(session, patch.clientId, realm, now)
      if (client === undefined) return undefined
      patchClient(client, patch, this.#maxNotesBytes)
      settle(session, lives)
      settleClient(session, client, lives, clientLives(realm, patch.clientId, session.offline))
      return snapshot(session, now)
    })
  }

  async removeClient(
    { realmId, id, offline }: SessionName,
    clientId: string,
    endWhenLast: boolean,
    now: number,
  ) {
    const session = this.#sessions.live(realmId, id, offline, now)
    if (session === undefined || liveClient(session, clientId, now) === undefined) return false
    const isLast = snapshot(session, now).clients.size === 1
    if (endWhenLast && isLast) this.#sessions.end(session, 'last-client')
    else this.#sessions.detach(session, clientId, 'removed')
    return true
  }

  async createOffline(step: SessionStep, copy: CheckedCopy): Promise<LimitedOutcome> {
    const { realmId, realm, now } = step
    const copied = this.#write(step, (online): LimitedOutcome => {
      if (this.#sessions.refuses(realmId, online.core.userId, true, copy.login.beginning))
        return { outcome: 'gone' }
      const clients = wantedOf(online, copy.clientIds, realm, now)
      if (!livesOffline(this.#sessions, online, realm, now)) {
        const newcomer = { ...online, offline: true }
        const reason = this.#sessions.makeRoom(newcomer, 'offline', undefined, this.#limits)
        if (reason) return { outcome: 'refused', reason }
      }
      const twin = copyOffline(this.#sessions, online, clients, copy, realm, now)
      return { outcome: 'done', session: snapshot(twin, now) }
    })
    return copied ?? { outcome: 'gone' }
  }

  async rotate(step: SessionStep, rotation: ClientTokenRotation): Promise<RotationOutcome> {
    const rotated = this.#write(step, (session) =>
      rotateIn(this.#sessions, session, rotation, step.realm, step.now),
    )
    return rotated ?? { outcome: 'gone' }
  }

  async rotateTransient(realmId: string, rotation: TransientTokenRotation, now: number) {
    return this.#transient.rotate(realmId, rotation, now)
  }

  async page(index: SessionIndex, page: CheckedSessionPage, now: number) {
    return pageOf(this.#sessionsOf(index), page, now)
  }

  async count(index: SessionIndex, now: number) {
    return this.#sessionsOf(index).countAfter(now)
  }

  async clientStats(realmId: string, offline: boolean, now: number) {
    const table = this.#sessions.table(realmId, offline)
    return jsonMap(await statsOf(table.clientIds(), (clientId) => table.ofClient(clientId), now))
  }

  async endAll(index: EndedIndex, { mark, except }: Removal, now: number) {
    const { realmId, offline, kind, name } = index
    if (mark !== '') {
      if (kind === 'realm') this.#transient.end(realmId, mark, now)
      this.#sessions.raiseFence(realmId, kind === 'user' ? name : undefined, offline, mark)
    }
    const reason = kind === 'brokerSession' ? 'broker-session' : kind
    const sessions = this.#sessionsOf(index).after(now)
    return endAll(this.#sessions, sessions, reason, now, mark === '' ? undefined : mark, except)
  }

  async detachAll(realmId: string, clientId: string, offline: boolean, now: number) {
    const sessions = this.#sessions.table(realmId, offline).ofClient(clientId).after(now)
    return detachAll(this.#sessions, sessions, clientId, now)
  }

  async recompute(realmId: string, realm: Realm, now: number) {
    return recompute(this.#sessions, realmId, realm, now)
  }

  async sweep(onSwept: (count: number) => void) {
    const now = this.#clock.now()
    await this.#transient.prune(now)
    await sweep(this.#sessions, now, onSwept)
  }

  close() {
    this.#sessions.clear()
    this.#transient.clear()
  }

  /** Changes a living session; one that is over by the time-outs of now is over. */
  #write<T>(
    { realmId, id, offline, realm, now }: SessionStep,
    change: (session: StoredSession, lives: Lives) => T,
  ): T | undefined {
    const session = this.#sessions.live(realmId, id, offline, now)
    if (session === undefined) return undefined
    const lives = userLives(realm, offline)
    const expiresAt = expiryOf(session, lives)
    try {
      if (!isExpired(expiresAt, now)) return change(session, lives)
      session.expiresAt = expiresAt
      return undefined
    } finally {
      this.#sessions.keep(session)
    }
  }

  #sessionsOf({ realmId, offline, kind, name }: SessionIndex): SortedSessions {
    const table = this.#sessions.table(realmId, offline)
    switch (kind) {
      case 'user':
        return table.ofUser(name)
      case 'client':
        return table.ofClient(name)
      case 'brokerUser':
        return table.ofBrokerUser(name)
      case 'brokerSession':
        return table.ofBrokerSession(name)
      case 'realm':
        return table.all
    }
  }
}
