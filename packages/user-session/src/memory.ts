import {
  assertName,
  type Clock,
  createIdMinter,
  jsonMap,
  type MintId,
  ProviderClosedError,
  type ProviderContext,
  type ProviderFactory,
  type Realm,
} from '@authstate/spi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import * as check from './checks.js'
import {
  type ClientRemoval,
  type ClientScope,
  type ClientSessionPatch,
  type ClientTokenRotation,
  type CreateOutcome,
  type CreateUserSession,
  createdSession,
  type LimitedOutcome,
  type NewClientSession,
  type NewUserSession,
  type OfflineCopy,
  type PageRequest,
  type RefusalReason,
  type RotationOutcome,
  type SessionScope,
  sessionOf,
  type TransientTokenRotation,
  type TwinScope,
  type UserRemoval,
  type UserSessionEventType,
  type UserSessionListener,
  type UserSessionListenerOptions,
  type UserSessionPatch,
  type UserSessionProvider,
  userSessionSpi,
} from './contract.js'
import { clientLives, isOver, type Lives, userLives } from './expiry.js'
import { limitsOf } from './limits.js'
import { copyOffline, livesOffline, restart, wantedOf } from './memory/copies.js'
import { detachAll, endAll, pageOf, recompute, statsOf, sweep } from './memory/realm-wide.js'
import type { SortedSessions } from './memory/sorted.js'
import { MemoryStore } from './memory/store.js'
import type { SessionTable } from './memory/table.js'
import { rotateIn, TransientFamilies } from './memory/tokens.js'
import { type LoginMoment, Moments } from './moments.js'
import { mergeNotes } from './notes.js'
import { type UserSessionConfig, userSessionConfig } from './rules.js'
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
} from './stored.js'
import { Sweeper } from './sweeper.js'

/** Keeps sessions in this process. They are lost with it and not shared. */
export function memoryUserSessions(): ProviderFactory<UserSessionProvider, UserSessionConfig> {
  return {
    spi: userSessionSpi,
    id: 'memory',
    config: toStandardJsonSchema(userSessionConfig),
    create: (context, config) => new MemoryUserSessions(context, config),
  }
}

/** A change to a living session. What it answers goes to the caller. */
type Step<T> = (session: StoredSession, now: number, realm: Realm, lives: Lives) => T

class MemoryUserSessions implements UserSessionProvider {
  readonly clock: Clock
  readonly #context: ProviderContext
  readonly #config: UserSessionConfig
  readonly #store: MemoryStore
  readonly #sweeper: Sweeper
  readonly #moments: Moments
  readonly #mint: MintId
  readonly #transient = new TransientFamilies()
  #swept = 0
  #closed = false

  constructor(context: ProviderContext, config: UserSessionConfig) {
    this.clock = context.clock
    this.#context = context
    this.#config = config
    this.#store = new MemoryStore(context.clock, context.logger)
    this.#moments = new Moments(context.clock)
    this.#mint = createIdMinter(context.node.site)
    this.#sweeper = new Sweeper(config.sweepIntervalMs, context.logger, () => this.sweep())
  }

  async create(realmId: string, session: CreateUserSession) {
    return createdSession(await this.tryCreate(realmId, session))
  }

  async tryCreate(realmId: string, session: CreateUserSession): Promise<CreateOutcome> {
    this.#enter(realmId)
    const checked = check.checkSession(session, this.#config.maxNotesBytes, this.#moments)
    const realm = await this.#context.realm(realmId)
    const now = this.#context.clock.now()
    const stored = draft(realmId, this.#mint(0), checked, realm, now)
    const refused =
      this.#refusal(realmId, checked.userId, false, checked.login) ??
      (checked.transient
        ? undefined
        : this.#store.makeRoom(stored, 'online', checked.client?.clientId, limitsOf(this.#config)))
    if (refused) return { outcome: 'refused', reason: refused }
    if (checked.transient) return { outcome: 'created', session: snapshot(stored, now) }
    this.#store.add(stored)
    return { outcome: 'created', session: snapshot(stored, now) }
  }

  async get(realmId: string, id: string, options?: ClientScope) {
    this.#enterWith(realmId, id, 'id')
    const { offline, clientId } = check.checkClientScope(options)
    const now = this.#context.clock.now()
    const session = this.#store.live(realmId, id, offline, now)
    if (session === undefined) return undefined
    if (clientId !== undefined && liveClient(session, clientId, now) === undefined) return undefined
    return snapshot(session, now, clientId)
  }

  async refresh(realmId: string, id: string, options?: ClientScope) {
    this.#enterWith(realmId, id, 'id')
    const { offline, clientId } = check.checkClientScope(options)
    return this.#write(realmId, id, { offline }, (session, now, realm, lives) => {
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

  async touch(realmId: string, id: string, options?: ClientScope) {
    const session = await this.refresh(realmId, id, options)
    return session && { lastRefreshAt: session.lastRefreshAt, expiresAt: session.expiresAt }
  }

  async update(realmId: string, id: string, patch: UserSessionPatch, options?: SessionScope) {
    this.#enterWith(realmId, id, 'id')
    const { state, notes } = check.checkPatch(patch, this.#config.maxNotesBytes)
    return this.#write(realmId, id, options, (session, now, _, lives) => {
      session.notes = mergeNotes(session.notes, notes, this.#config.maxNotesBytes)
      settle(session, lives)
      if (state !== undefined) session.state = state ?? undefined
      return snapshot(session, now)
    })
  }

  async restart(realmId: string, id: string, begun: NewUserSession) {
    return sessionOf(await this.tryRestart(realmId, id, begun))
  }

  async tryRestart(realmId: string, id: string, begun: NewUserSession): Promise<LimitedOutcome> {
    this.#enterWith(realmId, id, 'id')
    const checked = check.checkRestart(begun, this.#config.maxNotesBytes, this.#moments)
    const clientId = checked.client?.clientId
    const restarted = await this.#write(realmId, id, undefined, (session, now, realm): LimitedOutcome => {
      if (session.core.userId !== checked.userId) throw check.otherUser()
      const reason =
        this.#refusal(realmId, checked.userId, false, checked.login) ??
        this.#store.makeRoom(session, 'client', clientId, limitsOf(this.#config))
      if (reason) return { outcome: 'refused', reason }
      restart(this.#store, session, checked, realm, now)
      return { outcome: 'done', session: snapshot(session, now) }
    })
    return restarted ?? { outcome: 'gone' }
  }

  async remove(realmId: string, id: string, options?: SessionScope) {
    this.#enterWith(realmId, id, 'id')
    const now = this.#context.clock.now()
    const session = this.#store.live(realmId, id, check.checkScope(options), now)
    if (session) this.#store.end(session, 'removed')
    return session !== undefined
  }

  async putClientSession(realmId: string, id: string, client: NewClientSession, options?: SessionScope) {
    return sessionOf(await this.tryPutClientSession(realmId, id, client, options))
  }

  async tryPutClientSession(
    realmId: string,
    id: string,
    client: NewClientSession,
    options?: SessionScope,
  ): Promise<LimitedOutcome> {
    this.#enterWith(realmId, id, 'id')
    const checked = check.checkClient(client, this.#config.maxNotesBytes)
    const put = await this.#write(realmId, id, options, (session, now, realm, lives): LimitedOutcome => {
      if (openClient(session, checked.clientId, realm, now) === undefined) {
        const reason = this.#store.makeRoom(session, 'client', checked.clientId, limitsOf(this.#config))
        if (reason) return { outcome: 'refused', reason }
      }
      settle(session, lives)
      const own = clientLives(realm, checked.clientId, session.offline)
      settleClient(session, putClient(session, checked, now), lives, own)
      return { outcome: 'done', session: snapshot(session, now) }
    })
    return put ?? { outcome: 'gone' }
  }

  async updateClientSession(realmId: string, id: string, patch: ClientSessionPatch, options?: SessionScope) {
    this.#enterWith(realmId, id, 'id')
    const patched = check.checkClientPatch(patch, this.#config.maxNotesBytes)
    return this.#write(realmId, id, options, (session, now, realm, lives) => {
      const client = openClient(session, patched.clientId, realm, now)
      if (client === undefined) return undefined
      patchClient(client, patched, this.#config.maxNotesBytes)
      settle(session, lives)
      settleClient(session, client, lives, clientLives(realm, patched.clientId, session.offline))
      return snapshot(session, now)
    })
  }

  async removeClientSession(realmId: string, id: string, clientId: string, options?: ClientRemoval) {
    this.#enterWith(realmId, id, 'id')
    assertName(clientId, 'clientId')
    const now = this.#context.clock.now()
    const { offline, endWhenLast } = check.checkClientRemoval(options)
    const session = this.#store.live(realmId, id, offline, now)
    if (session === undefined || liveClient(session, clientId, now) === undefined) return false
    const isLast = snapshot(session, now).clients.size === 1
    if (endWhenLast && isLast) this.#store.end(session, 'last-client')
    else this.#store.detach(session, clientId, 'removed')
    return true
  }

  async createOffline(realmId: string, id: string, options?: OfflineCopy) {
    return sessionOf(await this.tryCreateOffline(realmId, id, options))
  }

  async tryCreateOffline(realmId: string, id: string, options?: OfflineCopy): Promise<LimitedOutcome> {
    this.#enterWith(realmId, id, 'id')
    const wanted = check.checkCopy(options, this.#moments)
    const copied = await this.#write(realmId, id, undefined, (online, now, realm): LimitedOutcome => {
      if (this.#refusal(realmId, online.core.userId, true, wanted.login)) return { outcome: 'gone' }
      const clients = wantedOf(online, wanted.clientIds, realm, now)
      if (!livesOffline(this.#store, online, realm, now)) {
        const newcomer = { ...online, offline: true }
        const reason = this.#store.makeRoom(newcomer, 'offline', undefined, limitsOf(this.#config))
        if (reason) return { outcome: 'refused', reason }
      }
      const copy = copyOffline(this.#store, online, clients, wanted, realm, now)
      return { outcome: 'done', session: snapshot(copy, now) }
    })
    return copied ?? { outcome: 'gone' }
  }

  async rotateRefreshToken(
    realmId: string,
    id: string,
    rotation: ClientTokenRotation,
  ): Promise<RotationOutcome> {
    this.#enterWith(realmId, id, 'id')
    check.checkRotation(rotation)
    const rotated = await this.#write(realmId, id, { offline: rotation.offline }, (session, now, realm) =>
      rotateIn(this.#store, session, rotation, realm, now),
    )
    return rotated ?? { outcome: 'gone' }
  }

  async rotateTransientToken(realmId: string, rotation: TransientTokenRotation): Promise<RotationOutcome> {
    this.#enter(realmId)
    check.checkTransientRotation(rotation)
    if (rotation.issuedAt < (await this.#context.realm(realmId)).notBefore) return { outcome: 'gone' }
    return this.#transient.rotate(realmId, rotation, this.#context.clock.now())
  }

  async listByUser(realmId: string, userId: string, page?: PageRequest) {
    this.#enterWith(realmId, userId, 'userId')
    return this.#page(realmId, page, (table) => table.ofUser(userId))
  }

  async listByClient(realmId: string, clientId: string, page?: PageRequest) {
    this.#enterWith(realmId, clientId, 'clientId')
    return this.#page(realmId, page, (table) => table.ofClient(clientId))
  }

  async listByBrokerUser(realmId: string, brokerUserId: string, page?: PageRequest) {
    this.#enterWith(realmId, brokerUserId, 'brokerUserId')
    return this.#page(realmId, page, (table) => table.ofBrokerUser(brokerUserId))
  }

  async listByBrokerSession(realmId: string, brokerSessionId: string, page?: PageRequest) {
    this.#enterWith(realmId, brokerSessionId, 'brokerSessionId')
    return this.#page(realmId, page, (table) => table.ofBrokerSession(brokerSessionId))
  }

  async list(realmId: string, page?: PageRequest) {
    return this.#page(realmId, page, (table) => table.all)
  }

  async findByBrokerSession(realmId: string, brokerSessionId: string, options?: SessionScope) {
    const table = this.#table(realmId, options)
    assertName(brokerSessionId, 'brokerSessionId')
    const now = this.#context.clock.now()
    const [found] = table.ofBrokerSession(brokerSessionId).after(now)
    return found && snapshot(found, now)
  }

  async count(realmId: string, options?: SessionScope) {
    return this.#table(realmId, options).all.countAfter(this.#context.clock.now())
  }

  async countByClient(realmId: string, clientId: string, options?: SessionScope) {
    const table = this.#table(realmId, options)
    assertName(clientId, 'clientId')
    return table.ofClient(clientId).countAfter(this.#context.clock.now())
  }

  async clientStats(realmId: string, options?: SessionScope) {
    const table = this.#table(realmId, options)
    const now = this.#context.clock.now()
    return jsonMap(await statsOf(table.clientIds(), (clientId) => table.ofClient(clientId), now))
  }

  async removeByUser(realmId: string, userId: string, options?: UserRemoval) {
    this.#enter(realmId)
    assertName(userId, 'userId')
    const { twins, except } = check.checkUserRemoval(options)
    const mark = await this.#moments.removal()
    const now = this.#context.clock.now()
    const walks = twins.map((offline) => {
      this.#store.raiseFence(realmId, userId, offline, mark)
      return this.#store.table(realmId, offline).ofUser(userId).after(now)
    })
    return endAll(this.#store, walks, 'user', now, mark, except)
  }

  async removeByBrokerSession(realmId: string, brokerSessionId: string, options?: TwinScope) {
    this.#enterWith(realmId, brokerSessionId, 'brokerSessionId')
    const now = this.#context.clock.now()
    const walks = check
      .checkTwins(options)
      .map((offline) => this.#store.table(realmId, offline).ofBrokerSession(brokerSessionId).after(now))
    return endAll(this.#store, walks, 'broker-session', now)
  }

  async removeByClient(realmId: string, clientId: string, options?: SessionScope) {
    const table = this.#table(realmId, options)
    assertName(clientId, 'clientId')
    const now = this.#context.clock.now()
    return detachAll(this.#store, table.ofClient(clientId).after(now), clientId, now)
  }

  async removeByRealm(realmId: string) {
    this.#enter(realmId)
    const mark = await this.#moments.removal()
    const now = this.#context.clock.now()
    this.#transient.end(realmId, mark, now)
    const walks = [false, true].map((offline) => {
      this.#store.raiseFence(realmId, undefined, offline, mark)
      return this.#store.table(realmId, offline).all.after(now)
    })
    return endAll(this.#store, walks, 'realm', now, mark)
  }

  async recompute(realmId: string) {
    this.#enter(realmId)
    return recompute(this.#store, realmId, await this.#context.realm(realmId), this.#context.clock.now())
  }

  async sweep() {
    this.#assertOpen()
    const now = this.#context.clock.now()
    await this.#transient.prune(now)
    const swept = await sweep(this.#store, now)
    this.#swept += swept
    return swept
  }

  on<Type extends UserSessionEventType | '*'>(
    type: Type,
    listener: UserSessionListener<Type>,
    options?: UserSessionListenerOptions,
  ) {
    this.#assertOpen()
    return this.#store.listeners.on(type, listener, check.checkListening(type, options))
  }

  stats() {
    this.#assertOpen()
    return { unreadable: 0, swept: this.#swept }
  }

  async close() {
    this.#closed = true
    await this.#sweeper.close()
    this.#store.clear()
    this.#transient.clear()
  }

  /** Why a login is refused because of a removal. */
  #refusal(realmId: string, userId: string, offline: boolean, login: LoginMoment): RefusalReason | undefined {
    if (this.#moments.isTooLate(login)) return 'too-late'
    return this.#store.refuses(realmId, userId, offline, login.beginning) ? 'ended' : undefined
  }

  /** Changes a living session; one that is over by the time-outs of now is over. */
  async #write<T>(
    realmId: string,
    id: string,
    options: SessionScope | undefined,
    step: Step<T>,
  ): Promise<T | undefined> {
    const offline = check.checkScope(options)
    const realm = await this.#context.realm(realmId)
    const now = this.#context.clock.now()
    const session = this.#store.live(realmId, id, offline, now)
    if (session === undefined) return undefined
    const lives = userLives(realm, offline)
    const expiresAt = expiryOf(session, lives)
    try {
      if (!isOver(expiresAt, now)) return step(session, now, realm, lives)
      session.expiresAt = expiresAt
      return undefined
    } finally {
      this.#store.keep(session)
    }
  }

  #page(realmId: string, page: PageRequest | undefined, select: (table: SessionTable) => SortedSessions) {
    this.#enter(realmId)
    const checked = check.checkPage(page)
    const sessions = select(this.#store.table(realmId, checked.offline))
    return pageOf(sessions, checked, this.#context.clock.now())
  }

  #table(realmId: string, options: SessionScope | undefined): SessionTable {
    this.#enter(realmId)
    return this.#store.table(realmId, check.checkScope(options))
  }

  /** Every verb starts here. */
  #enter(realmId: string): void {
    this.#assertOpen()
    assertName(realmId, 'realmId')
  }

  #enterWith(realmId: string, value: string, name: string): void {
    this.#enter(realmId)
    assertName(value, name)
  }

  #assertOpen(): void {
    if (this.#closed) throw new ProviderClosedError('user-session: the provider is closed')
  }
}
