import {
  assertName,
  type Clock,
  type EventOf,
  encodeCursor,
  isExpired,
  Lifecycle,
  Moments,
  type Page,
  type PageOptions,
  type ProviderContext,
  UnreadableCounter,
  type UnreadableStats,
} from '@authstate/spi'
import {
  type CheckContext,
  checkPageOptions,
  checkPatch,
  checkRemove,
  checkRemoveByUser,
  checkSession,
  tooLarge,
} from './checks.js'
import { limitsOf, type WebSessionConfig } from './config.js'
import {
  type NewWebSession,
  type RemovalReason,
  type SaveOutcome,
  type WebSession,
  type WebSessionEvents,
  type WebSessionLimits,
  type WebSessionPatch,
  type WebSessionProvider,
  webSessionSpi,
} from './contract.js'
import { Listeners } from './events.js'
import { decodeData, type SignIn, type StepTime, type StoredSession } from './rules.js'
import type { Removal, SessionIndex, SessionName, WebSessionStore } from './store.js'

/** The contract over any store: checks, ends, moments of sign-ins and removals, and events. */
export class WebSessions implements WebSessionProvider {
  readonly clock: Clock
  readonly limits: WebSessionLimits
  readonly #config: WebSessionConfig
  readonly #store: WebSessionStore
  readonly #listeners: Listeners
  readonly #moments: Moments
  readonly #unreadable: UnreadableCounter
  readonly #lifecycle = new Lifecycle(webSessionSpi.name)

  constructor(context: ProviderContext, config: WebSessionConfig, store: WebSessionStore) {
    this.clock = context.clock
    this.limits = limitsOf(config)
    this.#config = config
    this.#store = store
    this.#listeners = new Listeners(context.logger)
    this.#moments = new Moments(context.clock)
    this.#unreadable = new UnreadableCounter(context.logger, webSessionSpi.name, 'a stored session')
  }

  async save(realmId: string, id: string, session: NewWebSession): Promise<SaveOutcome> {
    const name = this.#nameOf(realmId, id)
    const time = this.#time()
    const { draft, conditions } = checkSession(session, this.#contextAt(time))
    const reply = await this.#store.save(name, draft, conditions, time)
    switch (reply.outcome) {
      case 'stored': {
        if (reply.replaced !== undefined) this.#tellRemoved(name, reply.replaced, 'replaced')
        if (reply.created)
          this.#listeners.emit('created', { ...namesIn(name), ...ofUser(draft.signIn?.userId) })
        return { outcome: 'stored', version: reply.version }
      }
      case 'refused':
        this.#tellRefused(name, draft.signIn, reply.reason)
        return { outcome: 'refused' }
      case 'passed':
        if (reply.userId !== undefined) this.#tellRemoved(name, reply.userId, 'removed')
        return { outcome: 'refused' }
      default:
        return reply
    }
  }

  async update(realmId: string, id: string, patch: WebSessionPatch) {
    const name = this.#nameOf(realmId, id)
    const time = this.#time()
    const change = checkPatch(patch, this.#contextAt(time))
    const reply = await this.#store.update(name, change, time)
    switch (reply.outcome) {
      case 'changed':
        return reply.version
      case 'too-large':
        throw tooLarge('set', reply.bytes, this.#config)
      case 'refused':
        this.#tellRefused(name, change.signIn ?? undefined, reply.reason)
        return undefined
      case 'passed':
        this.#tellRemoved(name, reply.userId, 'removed')
        return undefined
      default:
        return undefined
    }
  }

  async get(realmId: string, id: string) {
    return this.#sessionOf(await this.#store.load(this.#nameOf(realmId, id)))
  }

  async find(realmId: string, alias: string) {
    this.#enterRealm(realmId)
    assertName(alias, 'alias')
    return this.#sessionOf(await this.#store.find(realmId, alias, this.clock.now()))
  }

  async remove(realmId: string, id: string, options: { readonly generation?: string | undefined } = {}) {
    const name = this.#nameOf(realmId, id)
    const ended = await this.#store.remove(name, checkRemove(options), this.#time())
    if (ended === undefined) return false
    this.#tellRemoved(name, ended.userId, 'removed')
    return true
  }

  async list(realmId: string, page?: PageOptions) {
    this.#enterRealm(realmId)
    return this.#page({ realmId, kind: 'realm' }, page)
  }

  async listByUser(realmId: string, userId: string, page?: PageOptions) {
    this.#enterRealm(realmId)
    assertName(userId, 'userId')
    return this.#page({ realmId, kind: 'user', userId }, page)
  }

  async listByLabel(realmId: string, name: string, value: string, page?: PageOptions) {
    return this.#page(this.#labelOf(realmId, name, value), page)
  }

  async count(realmId: string) {
    this.#enterRealm(realmId)
    return this.#store.count(realmId, this.clock.now())
  }

  async removeByUser(
    realmId: string,
    userId: string,
    options: { readonly except?: string | undefined } = {},
  ) {
    this.#enterRealm(realmId)
    assertName(userId, 'userId')
    const except = checkRemoveByUser(options)
    const mark = await this.#moments.removal()
    const removed = await this.#endAll({ realmId, kind: 'user', userId }, { mark, except }, 'user')
    await this.#moments.passed(mark)
    return removed
  }

  async removeByLabel(realmId: string, name: string, value: string) {
    return this.#endAll(this.#labelOf(realmId, name, value), {}, 'label')
  }

  async removeByRealm(realmId: string) {
    this.#enterRealm(realmId)
    return this.#endAll({ realmId, kind: 'realm' }, {}, 'realm')
  }

  on<E extends keyof WebSessionEvents | '*'>(
    event: E,
    listener: (event: EventOf<WebSessionEvents, E>) => void,
  ) {
    this.#lifecycle.assertOpen()
    return this.#listeners.on(event, listener)
  }

  stats(): UnreadableStats {
    this.#lifecycle.assertOpen()
    return { unreadable: this.#unreadable.total }
  }

  async checkHealth() {
    this.#lifecycle.assertOpen()
    await this.#store.checkHealth?.()
  }

  async close() {
    if (this.#lifecycle.isClosed) return
    this.#lifecycle.close()
    this.#listeners.clear()
    await this.#store.close?.()
  }

  async #page(index: SessionIndex, options: PageOptions | undefined): Promise<Page<WebSession>> {
    const { items, end } = await this.#store.page(index, checkPageOptions(options), this.clock.now())
    const sessions = items.map((item) => this.#sessionOf(item)).filter((item) => item !== undefined)
    return end === undefined ? { items: sessions } : { items: sessions, cursor: encodeCursor(end) }
  }

  async #endAll(index: SessionIndex, removal: Removal, reason: RemovalReason): Promise<number> {
    let removed = 0
    await this.#store.endAll(index, removal, this.#time(), ({ id, userId }) => {
      removed += 1
      this.#tellRemoved({ realmId: index.realmId, id }, userId, reason)
    })
    return removed
  }

  #sessionOf(stored: StoredSession | 'unreadable' | undefined): WebSession | undefined {
    if (stored === undefined) return undefined
    if (stored === 'unreadable') return this.#unreadable.count()
    if (isExpired(stored.expiresAt, this.clock.now())) return undefined
    const data = decodeData(stored.data)
    if (data === undefined) return this.#unreadable.count()
    const { id, userId, authenticatedAt, labels, alias, generation } = stored
    const { createdAt, savedAt, expiresAt, version } = stored
    // No object is spread here: that would cost half as much as decoding the data.
    const session: { -readonly [K in keyof WebSession]: WebSession[K] } = {
      id,
      data,
      labels,
      generation,
      createdAt,
      savedAt,
      expiresAt,
      version,
    }
    if (userId !== '') {
      session.userId = userId
      session.authenticatedAt = authenticatedAt
    }
    if (alias !== '') session.alias = alias
    return session
  }

  #tellRemoved(name: SessionName, userId: string, reason: RemovalReason): void {
    this.#listeners.emit('removed', { ...namesIn(name), ...ofUser(userId), reason })
  }

  #tellRefused(name: SessionName, signIn: SignIn | undefined, reason: 'ended' | 'user'): void {
    this.#listeners.emit('refused', { ...namesIn(name), ...ofUser(signIn?.userId), reason })
  }

  #time(): StepTime {
    return { now: this.clock.now(), tombstoneMs: this.#config.tombstoneMs }
  }

  #contextAt({ now }: StepTime): CheckContext {
    return { now, config: this.#config, moments: this.#moments }
  }

  #nameOf(realmId: string, id: string): SessionName {
    this.#enterRealm(realmId)
    assertName(id, 'id')
    return { realmId, id }
  }

  #labelOf(realmId: string, name: string, value: string): SessionIndex {
    this.#enterRealm(realmId)
    assertName(name, 'name')
    assertName(value, 'value')
    return { realmId, kind: 'label', name, value }
  }

  #enterRealm(realmId: string): void {
    this.#lifecycle.assertOpen()
    assertName(realmId, 'realmId')
  }
}

const namesIn = ({ realmId, id }: SessionName) => ({ realmId, sessionId: id })

const ofUser = (userId: string | undefined) => (userId === undefined || userId === '' ? {} : { userId })
