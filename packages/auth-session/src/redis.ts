import { randomInt } from 'node:crypto'
import { KEY_GRACE_MS, type RedisConnection, redisConnectionSpi } from '@authstate/redis'
import {
  assertInstant,
  assertName,
  assertText,
  type Clock,
  createIdMinter,
  type EventOf,
  isExpired,
  Lifecycle,
  type MintId,
  type ProviderContext,
  type ProviderFactory,
  type Realm,
  StoreCorruptError,
} from '@authstate/spi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import {
  type AddedTab,
  type AuthSessionEvents,
  type AuthSessionProvider,
  type AuthSessionTab,
  type AuthSessionTabPatch,
  authSessionSpi,
  type NewAuthSessionTab,
  type RemovedTab,
  type RootSummary,
} from './contract.js'
import { Listeners } from './events.js'
import { RootKeys } from './redis/root-keys.js'
import { StoredRoots } from './redis/stored-roots.js'
import {
  type AuthSessionConfig,
  afterFinish,
  authSessionConfig,
  checkIds,
  checkNewTab,
  checkTabIds,
  checkTabPatch,
  loginLifespanMs,
  newTabId,
  promoted,
  RESTARTED,
  type TabDataPatch,
  tabOf,
  tooManyNotes,
} from './rules.js'
import * as scripts from './scripts.js'

/** Keeps authentication sessions in Redis, one hash per root, shared by every node. */
export function redisAuthSessions(): ProviderFactory<AuthSessionProvider, AuthSessionConfig> {
  return {
    spi: authSessionSpi,
    id: 'redis',
    config: toStandardJsonSchema(authSessionConfig),
    dependsOn: [redisConnectionSpi],
    create: (context, config) => new RedisAuthSessions(context, config),
  }
}

class RedisAuthSessions implements AuthSessionProvider {
  readonly clock: Clock
  readonly #redis: RedisConnection
  readonly #keys: RootKeys
  readonly #context: ProviderContext
  readonly #config: AuthSessionConfig
  readonly #listeners: Listeners
  readonly #stored: StoredRoots
  readonly #mintId: MintId
  readonly #lifecycle = new Lifecycle('auth-session')

  constructor(context: ProviderContext, config: AuthSessionConfig) {
    this.#redis = context.get(redisConnectionSpi)
    this.#keys = new RootKeys(this.#redis.keys)
    this.clock = context.clock
    this.#context = context
    this.#config = config
    this.#listeners = new Listeners(context.logger)
    this.#stored = new StoredRoots(context.logger)
    this.#mintId = createIdMinter(context.node.site)
  }

  async createRoot(realmId: string) {
    return this.getOrCreateRoot(realmId, undefined)
  }

  async getRoot(realmId: string, rootId: string) {
    this.#enter()
    checkIds(realmId, rootId)
    const keys = this.#keys.root(realmId, rootId)
    if (keys === undefined) return undefined
    const fields = await this.#redis.hgetall('auth-session.get-root', keys.root)
    return this.#stored.root(realmId, rootId, fields, this.#context.clock.now())
  }

  async getOrCreateRoot(realmId: string, rootId: string | undefined): Promise<RootSummary> {
    this.#enter()
    assertName(realmId, 'realmId')
    if (rootId !== undefined) assertText(rootId, 'rootId')
    if (rootId !== undefined) {
      const found = await this.#open(realmId, rootId)
      // A record that only another version of this library can read is left to it.
      if (found !== undefined) return found
    }
    const made = await this.#open(realmId, this.#mintId(randomInt(this.#keys.partitions.length)))
    if (made === undefined)
      throw new StoreCorruptError('auth-session: a root that was just made cannot be read')
    return made
  }

  async restartRoot(realmId: string, rootId: string) {
    this.#enter()
    checkIds(realmId, rootId)
    const keys = this.#keys.root(realmId, rootId)
    if (keys === undefined) return undefined
    const args = { ...(await this.#life(realmId)), id: rootId }
    const times = await this.#redis.run(scripts.restartRoot, keys, args)
    return times && this.#stored.summary(realmId, rootId, times, args.now)
  }

  async touchRoot(realmId: string, rootId: string, at?: number) {
    this.#enter()
    checkIds(realmId, rootId)
    if (at !== undefined) assertInstant(at, 'at')
    const keys = this.#keys.root(realmId, rootId)
    if (keys === undefined) return undefined
    const life = await this.#life(realmId)
    const times = await this.#redis.run(scripts.touchRoot, keys, { ...life, id: rootId, at: at ?? life.now })
    if (times === undefined) return undefined
    if (times !== 'removed') return this.#stored.summary(realmId, rootId, times, life.now)
    this.#listeners.emit('removed', { realmId, rootId, reason: 'removed' })
    return undefined
  }

  async removeRoot(realmId: string, rootId: string) {
    this.#enter()
    checkIds(realmId, rootId)
    const keys = this.#keys.root(realmId, rootId)
    if (keys === undefined) return false
    const now = this.#context.clock.now()
    const removed = await this.#redis.run(scripts.removeRoot, keys, { now, id: rootId })
    if (removed) this.#listeners.emit('removed', { realmId, rootId, reason: 'removed' })
    return removed
  }

  async addTab(realmId: string, rootId: string, tab: NewAuthSessionTab): Promise<AddedTab | undefined> {
    this.#enter()
    checkIds(realmId, rootId)
    const { clientId, data } = checkNewTab(tab, this.#config, this.clock)
    const keys = this.#keys.root(realmId, rootId)
    if (keys === undefined) return undefined
    const tabId = newTabId()
    const args = {
      ...(await this.#life(realmId)),
      id: rootId,
      maxTabs: this.#config.maxTabs,
      tab: tabId,
      client: clientId,
      data: JSON.stringify(data),
    }
    const answer = await this.#redis.run(scripts.addTab, keys, args)
    const root = answer && this.#stored.summary(realmId, rootId, answer.times, args.now)
    if (root === undefined) return undefined
    const evicted = answer?.evicted ? answer.evicted : undefined
    if (evicted !== undefined) {
      this.#listeners.emit('tab-removed', { realmId, rootId, tabId: evicted, reason: 'evicted' })
    }
    this.#listeners.emit('tab-added', { realmId, rootId, tabId })
    const added = tabOf({ tabId, clientId, createdAt: args.now }, data)
    return { root, tab: added, ...(evicted !== undefined && { evicted }) }
  }

  async getTab(realmId: string, rootId: string, clientId: string, tabId: string) {
    this.#enter()
    checkTabIds(realmId, rootId, tabId)
    assertName(clientId, 'clientId')
    const keys = this.#keys.root(realmId, rootId)
    if (keys === undefined) return undefined
    const fields = ['_v', 'x', `t:${tabId}`, `d:${tabId}`]
    const [format, expiresAt, head, data] = await this.#redis.hmget('auth-session.get-tab', keys.root, fields)
    if (format !== '1' || isExpired(Number(expiresAt), this.#context.clock.now())) return undefined
    if (typeof head !== 'string' || typeof data !== 'string') return undefined
    const tab = this.#stored.tab(tabId, head, data)
    return tab?.clientId === clientId ? tab : undefined
  }

  async updateTab(realmId: string, rootId: string, tabId: string, patch: AuthSessionTabPatch) {
    this.#enter()
    checkTabIds(realmId, rootId, tabId)
    return this.#patch(realmId, rootId, tabId, checkTabPatch(patch, this.#config, this.clock), false)
  }

  async restartTab(realmId: string, rootId: string, tabId: string) {
    this.#enter()
    checkTabIds(realmId, rootId, tabId)
    return this.#patch(realmId, rootId, tabId, RESTARTED, true)
  }

  async removeTab(realmId: string, rootId: string, tabId: string): Promise<RemovedTab> {
    this.#enter()
    checkTabIds(realmId, rootId, tabId)
    const life = await this.#life(realmId)
    return this.#removeTab(realmId, rootId, tabId, { ...life, at: life.now, end: 0 }, 'removed')
  }

  async finishTab(realmId: string, rootId: string, tabId: string): Promise<RemovedTab> {
    this.#enter()
    checkTabIds(realmId, rootId, tabId)
    const realm = await this.#context.realm(realmId)
    const life = this.#lifeIn(realm)
    const { updatedAt, ends } = afterFinish(realm, life.now)
    return this.#removeTab(realmId, rootId, tabId, { ...life, at: updatedAt, end: ends ? 1 : 0 }, 'finished')
  }

  async promote(realmId: string, rootId: string, tabId: string) {
    this.#enter()
    checkTabIds(realmId, rootId, tabId)
    const keys = this.#keys.root(realmId, rootId)
    if (keys === undefined) return undefined
    const now = this.#context.clock.now()
    const stored = await this.#redis.run(scripts.promoteTab, keys, { now, tab: tabId })
    const tab = stored && this.#stored.tab(tabId, ...stored)
    if (tab === undefined) return undefined
    this.#listeners.emit('promoted', { realmId, rootId, tabId })
    return promoted(tab)
  }

  async removeByRealm(realmId: string) {
    this.#enter()
    assertName(realmId, 'realmId')
    let removed = 0
    let partitions = this.#keys.partitions
    for (let isBegun = false; partitions.length > 0; isBegun = true) {
      const now = this.#context.clock.now()
      const answers = await this.#redis.runEach(
        scripts.removeRoots,
        partitions.map((partition) => ({
          keys: this.#keys.realm(partition, realmId),
          args: { now },
        })),
        isBegun,
      )
      for (const { id, living } of answers.flatMap(({ roots }) => roots)) {
        if (!living) continue
        removed += 1
        this.#listeners.emit('removed', { realmId, rootId: id, reason: 'realm' })
      }
      partitions = partitions.filter((_, index) => answers[index]?.more)
    }
    return removed
  }

  on<E extends keyof AuthSessionEvents | '*'>(
    event: E,
    listener: (event: EventOf<AuthSessionEvents, E>) => void,
  ) {
    this.#enter()
    return this.#listeners.on(event, listener)
  }

  async close() {
    this.#lifecycle.close()
    this.#listeners.clear()
  }

  async #patch(
    realmId: string,
    rootId: string,
    tabId: string,
    patch: TabDataPatch,
    renews: boolean,
  ): Promise<AuthSessionTab | undefined> {
    const keys = this.#keys.root(realmId, rootId)
    if (keys === undefined) return undefined
    const answer = await this.#redis.run(scripts.updateTab, keys, {
      ...(await this.#life(realmId)),
      id: rootId,
      tab: tabId,
      patch: JSON.stringify(patch),
      renew: renews ? 1 : 0,
      maxBytes: this.#config.maxNotesBytes,
    })
    if (typeof answer === 'number') throw tooManyNotes(answer, this.#config)
    if (answer !== 'removed') return answer && this.#stored.tab(tabId, ...answer)
    this.#listeners.emit('removed', { realmId, rootId, reason: 'removed' })
    return undefined
  }

  async #removeTab(
    realmId: string,
    rootId: string,
    tabId: string,
    args: Life & { readonly at: number; readonly end: 0 | 1 },
    reason: 'removed' | 'finished',
  ): Promise<RemovedTab> {
    const keys = this.#keys.root(realmId, rootId)
    const answer =
      keys && (await this.#redis.run(scripts.removeTab, keys, { ...args, id: rootId, tab: tabId }))
    if (answer === undefined) return { removed: false, rootRemoved: false }
    this.#listeners.emit('tab-removed', { realmId, rootId, tabId, reason })
    if (answer === 'kept') return { removed: true, rootRemoved: false }
    this.#listeners.emit('removed', { realmId, rootId, reason: answer === 'last' ? 'last-tab' : 'finished' })
    return { removed: true, rootRemoved: true }
  }

  /** The living root of an id, or a new one; `undefined` when this deployment cannot have minted the id, or read what is there. */
  async #open(realmId: string, id: string): Promise<RootSummary | undefined> {
    const keys = this.#keys.root(realmId, id)
    if (keys === undefined) return undefined
    const args = { ...(await this.#life(realmId)), id }
    const answer = await this.#redis.run(scripts.getOrCreateRoot, keys, args)
    const root = answer && this.#stored.summary(realmId, id, answer.times, args.now)
    if (root !== undefined && answer?.created) this.#listeners.emit('created', { realmId, rootId: id })
    return root
  }

  async #life(realmId: string): Promise<Life> {
    return this.#lifeIn(await this.#context.realm(realmId))
  }

  #lifeIn(realm: Realm): Life {
    return { now: this.#context.clock.now(), lifespanMs: loginLifespanMs(realm), graceMs: KEY_GRACE_MS }
  }

  #enter(): void {
    this.#lifecycle.assertOpen()
  }
}

interface Life {
  readonly now: number
  readonly lifespanMs: number
  readonly graceMs: number
}
