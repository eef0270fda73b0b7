import { escapePart, redisConnectionSpi, unescapePart } from '@authstate/redis'
import {
  assertName,
  type Clock,
  createIdMinter,
  type MintId,
  type ProviderContext,
  type ProviderFactory,
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
import { limitsOf } from './limits.js'
import { newSession } from './redis/new-session.js'
import { createOffline } from './redis/offline.js'
import { PartitionSweep } from './redis/partition-sweep.js'
import { type EndedIndex, RealmWide } from './redis/realm-wide.js'
import { type Opened, SessionStore } from './redis/session-store.js'
import { decodeTimes, encodeLimits } from './redis/texts.js'
import { outcomeOf, presentationOf } from './redis/tokens.js'
import { type UserSessionConfig, userSessionConfig } from './rules.js'
import * as scripts from './scripts.js'
import { Sweeper } from './sweeper.js'

/** Keeps sessions in Redis, shared by every node of the deployment. */
export function redisUserSessions(): ProviderFactory<UserSessionProvider, UserSessionConfig> {
  return {
    spi: userSessionSpi,
    id: 'redis',
    dependsOn: [redisConnectionSpi],
    config: toStandardJsonSchema(userSessionConfig),
    create: (context, config) => new RedisUserSessions(context, config),
  }
}

class RedisUserSessions implements UserSessionProvider {
  readonly clock: Clock
  readonly #config: UserSessionConfig
  readonly #store: SessionStore
  readonly #wide: RealmWide
  readonly #sweep: PartitionSweep
  readonly #sweeper: Sweeper
  readonly #mint: MintId
  /** As `create` takes them. */
  readonly #limits: string

  constructor(context: ProviderContext, config: UserSessionConfig) {
    this.clock = context.clock
    this.#config = config
    this.#store = new SessionStore(context, config)
    this.#wide = new RealmWide(this.#store)
    this.#sweep = new PartitionSweep(this.#store, context)
    this.#sweeper = new Sweeper(config.sweepIntervalMs, context.logger, () => this.#sweep.run())
    this.#mint = createIdMinter(context.node.site)
    this.#limits = encodeLimits(limitsOf(config))
  }

  async create(realmId: string, session: CreateUserSession) {
    return createdSession(await this.tryCreate(realmId, session))
  }

  async tryCreate(realmId: string, session: CreateUserSession): Promise<CreateOutcome> {
    this.#store.enter(realmId)
    const checked = check.checkSession(session, this.#config.maxNotesBytes, this.#store.moments)
    const realm = await this.#store.realm(realmId)
    const now = this.#store.now()
    const partition = this.#store.keys.partitionOfUser(checked.userId)
    const id = this.#mint(partition)
    const begun = newSession(realmId, id, checked, realm, now)
    const { session: created } = begun
    if (this.#store.moments.isTooLate(checked.login)) return { outcome: 'refused', reason: 'too-late' }
    if (checked.transient) {
      // What begins now cannot have been overtaken, and costs no command.
      const refused = session.authenticatedAt !== undefined && (await this.#store.refuses(realmId, checked))
      return refused ? { outcome: 'refused', reason: 'ended' } : { outcome: 'created', session: created }
    }

    const keys = { session: this.#store.keys.minted(partition, realmId, id) }
    const args = {
      ...this.#store.encodeNew(begun, checked, { limits: this.#limits, life: '' }),
      tell: this.#store.events.notes,
    }
    for (;;) {
      const { outcome, ended } = await this.#store.redis.run(scripts.create, keys, args)
      this.#store.events.limited(realmId, ended)
      if (outcome === 'more') continue
      if (outcome !== 'created') return { outcome: 'refused', reason: outcome as RefusalReason }
      this.#store.events.created(created)
      return { outcome: 'created', session: created }
    }
  }

  async get(realmId: string, id: string, options?: ClientScope) {
    this.#store.enterSession(realmId, id)
    const { offline, clientId } = check.checkClientScope(options)
    const key = this.#store.keys.session(realmId, id, offline)
    if (key === undefined) return undefined
    return this.#store.read('user-session.get', key, { realmId, id, offline }, clientId)
  }

  async refresh(realmId: string, id: string, options?: ClientScope) {
    this.#store.enterSession(realmId, id)
    const { offline, clientId } = check.checkClientScope(options)
    const opened = await this.#store.open(realmId, id, { offline })
    if (opened === undefined) return undefined
    const values = await this.#refresh(opened, clientId, 'record')
    return values && this.#store.decode(values, opened.place, clientId)
  }

  async touch(realmId: string, id: string, options?: ClientScope) {
    this.#store.enterSession(realmId, id)
    const { offline, clientId } = check.checkClientScope(options)
    const opened = await this.#store.open(realmId, id, { offline })
    if (opened === undefined) return undefined
    const { key, now, life } = opened
    const times =
      clientId === undefined
        ? await this.#store.redis.run(scripts.touch, { session: key }, { now, life })
        : (await this.#refresh(opened, clientId, 'times'))?.[0]
    if (times == null) return undefined
    const { lastRefreshAt, expiresAt } = decodeTimes(times)
    return { lastRefreshAt, expiresAt }
  }

  #refresh(
    { key, place, realm, now, life }: Opened,
    clientId: string | undefined,
    answer: 'record' | 'times',
  ) {
    const clientLife = clientId === undefined ? '' : this.#store.clientLife(realm, clientId, place.offline)
    return this.#store.redis.run(
      scripts.refresh,
      { session: key },
      { now, life, client: escapePart(clientId ?? ''), clientLife, answer },
    )
  }

  async update(realmId: string, id: string, patch: UserSessionPatch, options?: SessionScope) {
    this.#store.enterSession(realmId, id)
    const { maxNotesBytes } = this.#config
    const { state, notes } = check.checkPatch(patch, maxNotesBytes)
    const opened = await this.#store.open(realmId, id, options)
    if (opened === undefined) return undefined
    const { place, key, now, life } = opened
    const args = {
      now,
      life,
      state: state === undefined ? '' : state === null ? '-' : check.STATES.indexOf(state),
      notes: this.#store.codec.notesPatch(notes, place),
      maxBytes: maxNotesBytes,
    }
    return this.#store.record(await this.#store.redis.run(scripts.update, { session: key }, args), place)
  }

  async restart(realmId: string, id: string, begun: NewUserSession) {
    return sessionOf(await this.tryRestart(realmId, id, begun))
  }

  async tryRestart(realmId: string, id: string, begun: NewUserSession): Promise<LimitedOutcome> {
    this.#store.enterSession(realmId, id)
    const checked = check.checkRestart(begun, this.#config.maxNotesBytes, this.#store.moments)
    const opened = await this.#store.open(realmId, id, undefined)
    if (opened === undefined) return { outcome: 'gone' }
    const { place, key, realm, now, life } = opened
    const anew = newSession(realmId, id, checked, realm, now)
    const args = {
      ...this.#store.encodeNew(anew, checked, { limits: this.#limits, life }),
      ...(this.#store.moments.isTooLate(checked.login) && { beginning: '' }),
      tell: this.#store.events.notes || this.#store.events.clients,
    }
    const session = { id, user: escapePart(checked.userId) }
    return this.#store.limited(place, async () => {
      const { clients, ...reply } = await this.#store.redis.run(scripts.restart, { session: key }, args)
      for (const client of clients)
        this.#store.events.clientRemoved(realmId, false, session, unescapePart(client), 'restarted')
      return reply
    })
  }

  async remove(realmId: string, id: string, options?: SessionScope) {
    this.#store.enterSession(realmId, id)
    const offline = check.checkScope(options)
    const key = this.#store.keys.session(realmId, id, offline)
    if (key === undefined) return false
    const ended = await this.#store.redis.run(
      scripts.remove,
      { session: key },
      { now: this.#store.now(), tell: this.#store.events.notes },
    )
    if (ended) this.#store.events.removed(realmId, offline, [ended], 'removed')
    return ended !== undefined
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
    this.#store.enterSession(realmId, id)
    const checked = check.checkClient(client, this.#config.maxNotesBytes)
    const opened = await this.#store.open(realmId, id, options)
    if (opened === undefined) return { outcome: 'gone' }
    const { place, key, realm, now, life } = opened
    const args = {
      now,
      life,
      client: escapePart(checked.clientId),
      clientLife: this.#store.clientLife(realm, checked.clientId, place.offline),
      clientData: this.#store.codec.client(checked, place),
      limits: this.#limits,
      tell: this.#store.events.notes,
    }
    return this.#store.limited(place, () => this.#store.redis.run(scripts.putClient, { session: key }, args))
  }

  async updateClientSession(realmId: string, id: string, patch: ClientSessionPatch, options?: SessionScope) {
    this.#store.enterSession(realmId, id)
    const { maxNotesBytes } = this.#config
    const checked = check.checkClientPatch(patch, maxNotesBytes)
    const opened = await this.#store.open(realmId, id, options)
    if (opened === undefined) return undefined
    const { place, key, realm, now, life } = opened
    const args = {
      now,
      life,
      client: escapePart(checked.clientId),
      clientLife: this.#store.clientLife(realm, checked.clientId, place.offline),
      patch: this.#store.codec.client(checked, place),
      maxBytes: maxNotesBytes,
    }
    return this.#store.record(
      await this.#store.redis.run(scripts.updateClient, { session: key }, args),
      place,
    )
  }

  async removeClientSession(realmId: string, id: string, clientId: string, options?: ClientRemoval) {
    this.#store.enterSession(realmId, id)
    assertName(clientId, 'clientId')
    const { offline, endWhenLast } = check.checkClientRemoval(options)
    const key = this.#store.keys.session(realmId, id, offline)
    if (key === undefined) return false
    const now = this.#store.now()
    const { events } = this.#store
    const { removed, ended, user } = await this.#store.redis.run(
      scripts.removeClient,
      { session: key },
      {
        now,
        client: escapePart(clientId),
        endWhenLast: endWhenLast ? 1 : 0,
        tell: events.notes || events.clients,
      },
    )
    if (ended) events.removed(realmId, offline, [ended], 'last-client')
    else if (removed && user !== undefined)
      events.clientRemoved(realmId, offline, { id, user }, clientId, 'removed')
    return removed
  }

  async createOffline(realmId: string, id: string, options?: OfflineCopy) {
    return sessionOf(await this.tryCreateOffline(realmId, id, options))
  }

  async tryCreateOffline(realmId: string, id: string, options?: OfflineCopy): Promise<LimitedOutcome> {
    this.#store.enterSession(realmId, id)
    const copy = check.checkCopy(options, this.#store.moments)
    if (this.#store.moments.isTooLate(copy.login)) return { outcome: 'gone' }
    const opened = await this.#store.open(realmId, id, undefined)
    return opened ? createOffline(this.#store, opened, copy, this.#limits) : { outcome: 'gone' }
  }

  async rotateRefreshToken(
    realmId: string,
    id: string,
    rotation: ClientTokenRotation,
  ): Promise<RotationOutcome> {
    this.#store.enterSession(realmId, id)
    check.checkRotation(rotation)
    const opened = await this.#store.open(realmId, id, { offline: rotation.offline })
    if (opened === undefined) return { outcome: 'gone' }
    const { key, place, realm, now, life } = opened
    const { clientId } = rotation
    const clientLife = this.#store.clientLife(realm, clientId, place.offline)
    const decided = await this.#store.redis.run(
      scripts.rotate,
      { session: key },
      { ...presentationOf(rotation, now, { clientId }), life, clientLife, tell: this.#store.events.clients },
    )
    if (decided.outcome === 'reused' || decided.outcome === 'stale') {
      const session = { id, user: decided.user }
      this.#store.events.clientRemoved(realmId, place.offline, session, clientId, decided.outcome)
    }
    return outcomeOf(decided)
  }

  async rotateTransientToken(realmId: string, rotation: TransientTokenRotation): Promise<RotationOutcome> {
    this.#store.enter(realmId)
    check.checkTransientRotation(rotation)
    if (rotation.issuedAt < (await this.#store.realm(realmId)).notBefore) return { outcome: 'gone' }
    const now = this.#store.now()
    const decided = await this.#store.redis.run(
      scripts.rotateTransient,
      this.#store.keys.family(realmId, rotation.family),
      presentationOf(rotation, now, { expiresAt: now + rotation.lifespanMs }),
    )
    return outcomeOf(decided)
  }

  async listByUser(realmId: string, userId: string, page?: PageRequest) {
    this.#store.enter(realmId)
    assertName(userId, 'userId')
    return this.#wide.page('user', realmId, userId, check.checkPage(page))
  }

  async listByClient(realmId: string, clientId: string, page?: PageRequest) {
    this.#store.enter(realmId)
    assertName(clientId, 'clientId')
    return this.#wide.page('client', realmId, clientId, check.checkPage(page))
  }

  async listByBrokerUser(realmId: string, brokerUserId: string, page?: PageRequest) {
    this.#store.enter(realmId)
    assertName(brokerUserId, 'brokerUserId')
    return this.#wide.page('brokerUser', realmId, brokerUserId, check.checkPage(page))
  }

  async listByBrokerSession(realmId: string, brokerSessionId: string, page?: PageRequest) {
    this.#store.enter(realmId)
    assertName(brokerSessionId, 'brokerSessionId')
    return this.#wide.page('brokerSession', realmId, brokerSessionId, check.checkPage(page))
  }

  async list(realmId: string, page?: PageRequest) {
    this.#store.enter(realmId)
    return this.#wide.page('realm', realmId, undefined, check.checkPage(page))
  }

  async findByBrokerSession(realmId: string, brokerSessionId: string, options?: SessionScope) {
    this.#store.enter(realmId)
    assertName(brokerSessionId, 'brokerSessionId')
    const first = check.checkPage({ limit: 1, offline: check.checkScope(options) })
    return (await this.#wide.page('brokerSession', realmId, brokerSessionId, first)).items[0]
  }

  async count(realmId: string, options?: SessionScope) {
    this.#store.enter(realmId)
    return this.#wide.count('realm', realmId, undefined, check.checkScope(options))
  }

  async countByClient(realmId: string, clientId: string, options?: SessionScope) {
    this.#store.enter(realmId)
    assertName(clientId, 'clientId')
    return this.#wide.count('client', realmId, clientId, check.checkScope(options))
  }

  async clientStats(realmId: string, options?: SessionScope) {
    this.#store.enter(realmId)
    return this.#wide.clientStats(realmId, check.checkScope(options))
  }

  async removeByUser(realmId: string, userId: string, options?: UserRemoval) {
    this.#store.enter(realmId)
    assertName(userId, 'userId')
    const { twins, except } = check.checkUserRemoval(options)
    const { moments } = this.#store
    const mark = await moments.removal()
    const ended = await this.#endTwins({ realmId, kind: 'user', name: userId }, twins, mark, except)
    await moments.passed(mark)
    return ended
  }

  async removeByBrokerSession(realmId: string, brokerSessionId: string, options?: TwinScope) {
    this.#store.enter(realmId)
    assertName(brokerSessionId, 'brokerSessionId')
    const index = { realmId, kind: 'brokerSession', name: brokerSessionId } as const
    return this.#endTwins(index, check.checkTwins(options), '')
  }

  async removeByClient(realmId: string, clientId: string, options?: SessionScope) {
    this.#store.enter(realmId)
    assertName(clientId, 'clientId')
    return this.#wide.detachAll(realmId, clientId, check.checkScope(options))
  }

  async removeByRealm(realmId: string) {
    this.#store.enter(realmId)
    const { moments } = this.#store
    const mark = await moments.removal()
    const ended = await this.#endTwins({ realmId, kind: 'realm', name: '' }, [false, true], mark)
    await moments.passed(mark)
    return ended
  }

  async #endTwins(index: EndedIndex, twins: readonly boolean[], mark: string, except?: string) {
    const ended = await Promise.all(twins.map((offline) => this.#wide.endAll(index, offline, mark, except)))
    return ended.reduce((sum, one) => sum + one, 0)
  }

  async recompute(realmId: string) {
    this.#store.enter(realmId)
    return (await this.#wide.recompute(realmId, false)) + (await this.#wide.recompute(realmId, true))
  }

  async sweep() {
    this.#store.assertOpen()
    return this.#sweep.run()
  }

  on<Type extends UserSessionEventType | '*'>(
    type: Type,
    listener: UserSessionListener<Type>,
    options?: UserSessionListenerOptions,
  ) {
    this.#store.assertOpen()
    return this.#store.events.listeners.on(type, listener, check.checkListening(type, options))
  }

  stats() {
    this.#store.assertOpen()
    return { unreadable: this.#store.unreadable, swept: this.#sweep.swept }
  }

  async close() {
    this.#sweep.stop()
    this.#store.close()
    await this.#sweeper.close()
  }
}
