import {
  allSteps,
  assertName,
  type Clock,
  createIdMinter,
  Lifecycle,
  type MintId,
  Moments,
  nextStep,
  type ProviderContext,
} from '@authstate/spi'
import { isPromiseLike, mapAnswer } from '@authstate/spi/internal'
import * as check from './checks.js'
import type { UserSessionConfig } from './config.js'
import {
  type ClientRemoval,
  type ClientScope,
  type ClientSessionPatch,
  type ClientTokenRotation,
  type CreateOutcome,
  type CreateUserSession,
  type LimitedOutcome,
  type NewClientSession,
  type NewUserSession,
  type OfflineCopy,
  type PageRequest,
  type RotationOutcome,
  type SessionScope,
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
import { Listeners } from './events.js'
import { limitsOf } from './limits.js'
import { isTooLate } from './moments.js'
import type { EndedIndex, SessionIndex, SessionStep, SessionStore, StoreParts } from './store.js'
import { draft, snapshot } from './stored.js'
import { Sweeper } from './sweeper.js'

/** The contract, over whatever store: checks, ids, the realm's settings, the moments of logins and removals, sweeps. */
export class UserSessions implements UserSessionProvider {
  readonly clock: Clock
  readonly #context: ProviderContext
  readonly #config: UserSessionConfig
  readonly #store: SessionStore
  readonly #listeners: Listeners
  readonly #moments: Moments
  readonly #mint: MintId
  readonly #sweeper: Sweeper
  readonly #lifecycle = new Lifecycle(userSessionSpi.name)
  #swept = 0

  /** @param open Makes the store that the sessions are in. */
  constructor(
    context: ProviderContext,
    config: UserSessionConfig,
    open: (parts: StoreParts) => SessionStore,
  ) {
    this.clock = context.clock
    this.#context = context
    this.#config = config
    this.#listeners = new Listeners(context.logger)
    this.#moments = new Moments(context.clock)
    this.#mint = createIdMinter(context.node.site)
    this.#store = open({ context, config, limits: limitsOf(config), listeners: this.#listeners })
    this.#sweeper = new Sweeper(config.sweepIntervalMs, context.logger, () => this.#sweep())
  }

  async create(realmId: string, session: CreateUserSession): Promise<CreateOutcome> {
    this.#enter(realmId)
    const checked = check.checkSession(session, this.#config.maxNotesBytes, this.#moments)
    const realm = await this.#context.realm(realmId)
    const id = this.#mint(this.#store.partitionOf?.(checked.userId) ?? 0)
    const step: SessionStep = { realmId, id, offline: false, realm, now: this.clock.now() }
    if (isTooLate(checked.login, this.clock)) return { outcome: 'refused', reason: 'too-late' }
    if (!checked.transient) return this.#store.create(step, checked)
    // What begins now cannot have been overtaken, and costs nothing.
    if (session.authenticatedAt !== undefined && (await this.#store.refuses(realmId, checked)))
      return { outcome: 'refused', reason: 'ended' }
    return { outcome: 'created', session: snapshot(draft(realmId, id, checked, realm, step.now), step.now) }
  }

  async get(realmId: string, id: string, options?: ClientScope) {
    this.#enterWith(realmId, id, 'id')
    const { offline, clientId } = check.checkClientScope(options)
    return this.#store.load({ realmId, id, offline }, clientId, this.clock.now())
  }

  async refresh(realmId: string, id: string, options?: ClientScope) {
    this.#enterWith(realmId, id, 'id')
    const { offline, clientId } = check.checkClientScope(options)
    const step = this.#step(realmId, id, offline)
    return this.#store.refresh(isPromiseLike(step) ? await step : step, clientId)
  }

  async touch(realmId: string, id: string, options?: ClientScope) {
    this.#enterWith(realmId, id, 'id')
    const { offline, clientId } = check.checkClientScope(options)
    const step = this.#step(realmId, id, offline)
    return this.#store.touch(isPromiseLike(step) ? await step : step, clientId)
  }

  async update(realmId: string, id: string, patch: UserSessionPatch, options?: SessionScope) {
    this.#enterWith(realmId, id, 'id')
    const checked = check.checkPatch(patch, this.#config.maxNotesBytes)
    return this.#store.update(await this.#step(realmId, id, check.checkScope(options)), checked)
  }

  async restart(realmId: string, id: string, begun: NewUserSession): Promise<LimitedOutcome> {
    this.#enterWith(realmId, id, 'id')
    const checked = check.checkRestart(begun, this.#config.maxNotesBytes, this.#moments)
    const step = await this.#step(realmId, id, false)
    return this.#store.restart(step, checked, isTooLate(checked.login, this.clock))
  }

  async remove(realmId: string, id: string, options?: SessionScope) {
    this.#enterWith(realmId, id, 'id')
    return this.#store.remove({ realmId, id, offline: check.checkScope(options) }, this.clock.now())
  }

  async putClientSession(
    realmId: string,
    id: string,
    client: NewClientSession,
    options?: SessionScope,
  ): Promise<LimitedOutcome> {
    this.#enterWith(realmId, id, 'id')
    const checked = check.checkClient(client, this.#config.maxNotesBytes)
    return this.#store.putClient(await this.#step(realmId, id, check.checkScope(options)), checked)
  }

  async updateClientSession(realmId: string, id: string, patch: ClientSessionPatch, options?: SessionScope) {
    this.#enterWith(realmId, id, 'id')
    const checked = check.checkClientPatch(patch, this.#config.maxNotesBytes)
    return this.#store.updateClient(await this.#step(realmId, id, check.checkScope(options)), checked)
  }

  async removeClientSession(realmId: string, id: string, clientId: string, options?: ClientRemoval) {
    this.#enterWith(realmId, id, 'id')
    assertName(clientId, 'clientId')
    const { offline, endWhenLast } = check.checkClientRemoval(options)
    return this.#store.removeClient({ realmId, id, offline }, clientId, endWhenLast, this.clock.now())
  }

  async createOffline(realmId: string, id: string, options?: OfflineCopy): Promise<LimitedOutcome> {
    this.#enterWith(realmId, id, 'id')
    const copy = check.checkCopy(options, this.#moments)
    if (isTooLate(copy.login, this.clock)) return { outcome: 'gone' }
    return this.#store.createOffline(await this.#step(realmId, id, false), copy)
  }

  async rotateRefreshToken(
    realmId: string,
    id: string,
    rotation: ClientTokenRotation,
  ): Promise<RotationOutcome> {
    this.#enterWith(realmId, id, 'id')
    check.checkRotation(rotation)
    const step = await this.#step(realmId, id, check.checkScope({ offline: rotation.offline }))
    return this.#store.rotate(step, rotation)
  }

  async rotateTransientToken(realmId: string, rotation: TransientTokenRotation): Promise<RotationOutcome> {
    this.#enter(realmId)
    check.checkTransientRotation(rotation)
    if (rotation.issuedAt < (await this.#context.realm(realmId)).notBefore) return { outcome: 'gone' }
    return this.#store.rotateTransient(realmId, rotation, this.clock.now())
  }

  async listByUser(realmId: string, userId: string, page?: PageRequest) {
    this.#enterWith(realmId, userId, 'userId')
    return this.#page(realmId, 'user', userId, page)
  }

  async listByClient(realmId: string, clientId: string, page?: PageRequest) {
    this.#enterWith(realmId, clientId, 'clientId')
    return this.#page(realmId, 'client', clientId, page)
  }

  async listByBrokerUser(realmId: string, brokerUserId: string, page?: PageRequest) {
    this.#enterWith(realmId, brokerUserId, 'brokerUserId')
    return this.#page(realmId, 'brokerUser', brokerUserId, page)
  }

  async listByBrokerSession(realmId: string, brokerSessionId: string, page?: PageRequest) {
    this.#enterWith(realmId, brokerSessionId, 'brokerSessionId')
    return this.#page(realmId, 'brokerSession', brokerSessionId, page)
  }

  async list(realmId: string, page?: PageRequest) {
    this.#enter(realmId)
    return this.#page(realmId, 'realm', '', page)
  }

  async findByBrokerSession(realmId: string, brokerSessionId: string, options?: SessionScope) {
    this.#enterWith(realmId, brokerSessionId, 'brokerSessionId')
    const first = { limit: 1, offline: check.checkScope(options) }
    return (await this.#page(realmId, 'brokerSession', brokerSessionId, first)).items[0]
  }

  async count(realmId: string, options?: SessionScope) {
    this.#enter(realmId)
    const index = { realmId, offline: check.checkScope(options), kind: 'realm', name: '' } as const
    return this.#store.count(index, this.clock.now())
  }

  async countByClient(realmId: string, clientId: string, options?: SessionScope) {
    this.#enterWith(realmId, clientId, 'clientId')
    const index = { realmId, offline: check.checkScope(options), kind: 'client', name: clientId } as const
    return this.#store.count(index, this.clock.now())
  }

  async clientStats(realmId: string, options?: SessionScope) {
    this.#enter(realmId)
    return this.#store.clientStats(realmId, check.checkScope(options), this.clock.now())
  }

  async removeByUser(realmId: string, userId: string, options?: UserRemoval) {
    this.#enterWith(realmId, userId, 'userId')
    const { twins, except } = check.checkUserRemoval(options)
    return this.#endMarked({ realmId, kind: 'user', name: userId }, twins, except)
  }

  async removeByBrokerSession(realmId: string, brokerSessionId: string, options?: TwinScope) {
    this.#enterWith(realmId, brokerSessionId, 'brokerSessionId')
    const index = { realmId, kind: 'brokerSession', name: brokerSessionId } as const
    return this.#endTwins(index, check.checkTwins(options), '')
  }

  async removeByClient(realmId: string, clientId: string, options?: SessionScope) {
    this.#enterWith(realmId, clientId, 'clientId')
    return this.#store.detachAll(realmId, clientId, check.checkScope(options), this.clock.now())
  }

  async removeByRealm(realmId: string) {
    this.#enter(realmId)
    return this.#endMarked({ realmId, kind: 'realm', name: '' }, [false, true])
  }

  async recompute(realmId: string) {
    this.#enter(realmId)
    return this.#store.recompute(realmId, await this.#context.realm(realmId), this.clock.now())
  }

  async sweep() {
    this.#lifecycle.assertOpen()
    return this.#sweep()
  }

  on<Type extends UserSessionEventType | '*'>(
    type: Type,
    listener: UserSessionListener<Type>,
    options?: UserSessionListenerOptions,
  ) {
    this.#lifecycle.assertOpen()
    return this.#listeners.on(type, listener, check.checkListening(type, options))
  }

  stats() {
    this.#lifecycle.assertOpen()
    return { unreadable: this.#store.unreadable ?? 0, swept: this.#swept }
  }

  async close() {
    if (this.#lifecycle.isClosed) return this.#sweeper.close()
    this.#lifecycle.close()
    this.#store.stop?.()
    this.#listeners.clear()
    await this.#sweeper.close()
    await this.#store.close?.()
  }

  async #sweep(): Promise<number> {
    let swept = 0
    try {
      await this.#store.sweep((count) => {
        swept += count
        this.#swept += count
      })
      return swept
    } catch (error) {
      return nextStep<never>(Promise.reject(error), swept > 0)
    }
  }

  /** Ends what an index has and what began before now, and refuses from now on what did. */
  async #endMarked(
    index: Omit<EndedIndex, 'offline'>,
    twins: readonly boolean[],
    except?: string,
  ): Promise<number> {
    const mark = await this.#moments.removal()
    const ended = await this.#endTwins(index, twins, mark, except)
    await this.#moments.passed(mark)
    return ended
  }

  async #endTwins(
    index: Omit<EndedIndex, 'offline'>,
    twins: readonly boolean[],
    mark: string,
    except?: string,
  ): Promise<number> {
    const now = this.clock.now()
    const ended = await allSteps(
      twins.map(async (offline) => this.#store.endAll({ ...index, offline }, { mark, except }, now)),
    )
    return ended.reduce((sum, count) => sum + count, 0)
  }

  #page(realmId: string, kind: SessionIndex['kind'], name: string, page: PageRequest | undefined) {
    const checked = check.checkPage(page)
    return this.#store.page({ realmId, offline: checked.offline, kind, name }, checked, this.clock.now())
  }

  /** Every verb starts here. */
  #enter(realmId: string): void {
    this.#lifecycle.assertOpen()
    assertName(realmId, 'realmId')
  }

  #enterWith(realmId: string, value: string, name: string): void {
    this.#enter(realmId)
    assertName(value, name)
  }

  /** At once where the settings of the realm are. */
  #step(realmId: string, id: string, offline: boolean): SessionStep | Promise<SessionStep> {
    return mapAnswer(this.#context.realm(realmId), (realm) => ({
      realmId,
      id,
      offline,
      realm,
      now: this.clock.now(),
    }))
  }
}
