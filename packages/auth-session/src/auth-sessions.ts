import { randomInt } from 'node:crypto'
import {
  type Answer,
  assertInstant,
  assertName,
  assertText,
  type Clock,
  createIdMinter,
  type EventOf,
  Lifecycle,
  type MintId,
  type ProviderContext,
  partitionOf,
  type Realm,
  StoreCorruptError,
  type UnreadableStats,
} from '@authstate/spi'
import { isPromiseLike, mapAnswer } from '@authstate/spi/internal'
import { checkIds, checkNewTab, checkTabIds, checkTabPatch, tooManyNotes } from './checks.js'
import type { AuthSessionConfig } from './config.js'
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
import {
  afterFinish,
  loginLifespanMs,
  newTabId,
  promoted,
  RESTARTED,
  type TabDataPatch,
  tabOf,
} from './rules.js'
import type { AuthSessionStore, RootLife, RootName, TabRest } from './store.js'

/** The contract over any store: checks, ids, lifespans by the realm's settings, and events. */
export class AuthSessions implements AuthSessionProvider {
  readonly clock: Clock
  readonly #context: ProviderContext
  readonly #config: AuthSessionConfig
  readonly #store: AuthSessionStore
  readonly #listeners: Listeners
  readonly #mintId: MintId
  readonly #lifecycle = new Lifecycle(authSessionSpi.name)

  constructor(context: ProviderContext, config: AuthSessionConfig, store: AuthSessionStore) {
    this.clock = context.clock
    this.#context = context
    this.#config = config
    this.#store = store
    this.#listeners = new Listeners(context.logger)
    this.#mintId = createIdMinter(context.node.site)
  }

  createRoot(realmId: string) {
    return this.getOrCreateRoot(realmId, undefined)
  }

  async getRoot(realmId: string, rootId: string) {
    const root = this.#rootOf(realmId, rootId)
    return root && this.#store.load(root, this.clock.now())
  }

  async getOrCreateRoot(realmId: string, rootId: string | undefined): Promise<RootSummary> {
    this.#lifecycle.assertOpen()
    assertName(realmId, 'realmId')
    if (rootId !== undefined) assertText(rootId, 'rootId')
    if (rootId !== undefined && this.#hasPartitionOf(rootId)) {
      const found = await this.#getOrCreate({ realmId, id: rootId })
      // A record that only another version of this library can read is left to it.
      if (found !== undefined) return found
    }
    const made = await this.#getOrCreate({ realmId, id: this.#newId() })
    if (made === undefined)
      throw new StoreCorruptError('auth-session: a root that was just made cannot be read')
    return made
  }

  async restartRoot(realmId: string, rootId: string) {
    const root = this.#rootOf(realmId, rootId)
    return root && this.#store.restart(root, await this.#life(realmId))
  }

  async touchRoot(realmId: string, rootId: string, at?: number) {
    const root = this.#rootOf(realmId, rootId)
    if (at !== undefined) assertInstant(at, 'at')
    if (root === undefined) return undefined
    const life = await this.#life(realmId)
    const touched = await this.#store.touch(root, at ?? life.now, life)
    if (touched !== 'removed') return touched
    this.#listeners.emit('removed', { realmId, rootId, reason: 'removed' })
    return undefined
  }

  async removeRoot(realmId: string, rootId: string) {
    const root = this.#rootOf(realmId, rootId)
    const removed = root !== undefined && (await this.#store.remove(root, this.clock.now()))
    if (removed) this.#listeners.emit('removed', { realmId, rootId, reason: 'removed' })
    return removed
  }

  async addTab(realmId: string, rootId: string, given: NewAuthSessionTab): Promise<AddedTab | undefined> {
    const root = this.#rootOf(realmId, rootId)
    const { clientId, data } = checkNewTab(given, this.#config, this.clock)
    if (root === undefined) return undefined
    const life = await this.#life(realmId)
    const tabId = newTabId()
    const added = await this.#store.addTab(root, { tabId, clientId, data }, this.#config.maxTabs, life)
    if (added === undefined) return undefined
    const { evicted } = added
    if (evicted !== undefined) {
      this.#listeners.emit('tab-removed', { realmId, rootId, tabId: evicted, reason: 'evicted' })
    }
    this.#listeners.emit('tab-added', { realmId, rootId, tabId })
    return { ...added, tab: tabOf({ tabId, clientId, createdAt: life.now }, data) }
  }

  async getTab(realmId: string, rootId: string, clientId: string, tabId: string) {
    const root = this.#rootOfTab(realmId, rootId, tabId)
    assertName(clientId, 'clientId')
    const tab = root && (await this.#store.loadTab(root, tabId, this.clock.now()))
    return tab?.clientId === clientId ? tab : undefined
  }

  async updateTab(realmId: string, rootId: string, tabId: string, patch: AuthSessionTabPatch) {
    const root = this.#rootOfTab(realmId, rootId, tabId)
    const checked = checkTabPatch(patch, this.#config, this.clock)
    return root && this.#patch(root, tabId, checked, false)
  }

  async restartTab(realmId: string, rootId: string, tabId: string) {
    const root = this.#rootOfTab(realmId, rootId, tabId)
    return root && this.#patch(root, tabId, RESTARTED, true)
  }

  async removeTab(realmId: string, rootId: string, tabId: string) {
    const root = this.#rootOfTab(realmId, rootId, tabId)
    if (root === undefined) return nothingRemoved()
    const life = await this.#life(realmId)
    return this.#removeTab(root, tabId, { updatedAt: life.now, ends: false }, life, 'removed')
  }

  async finishTab(realmId: string, rootId: string, tabId: string) {
    const root = this.#rootOfTab(realmId, rootId, tabId)
    if (root === undefined) return nothingRemoved()
    const realm = await this.#context.realm(realmId)
    const life = this.#lifeIn(realm)
    return this.#removeTab(root, tabId, afterFinish(realm, life.now), life, 'finished')
  }

  async promote(realmId: string, rootId: string, tabId: string) {
    const root = this.#rootOfTab(realmId, rootId, tabId)
    const tab = root && (await this.#store.promote(root, tabId, this.clock.now()))
    if (tab === undefined) return undefined
    this.#listeners.emit('promoted', { realmId, rootId, tabId })
    return promoted(tab)
  }

  async count(realmId: string) {
    this.#lifecycle.assertOpen()
    assertName(realmId, 'realmId')
    return this.#store.count(realmId, this.clock.now())
  }

  async removeByRealm(realmId: string) {
    this.#lifecycle.assertOpen()
    assertName(realmId, 'realmId')
    let removed = 0
    await this.#store.removeByRealm(realmId, this.clock.now(), (rootId) => {
      removed += 1
      this.#listeners.emit('removed', { realmId, rootId, reason: 'realm' })
    })
    return removed
  }

  on<E extends keyof AuthSessionEvents | '*'>(
    event: E,
    listener: (event: EventOf<AuthSessionEvents, E>) => void,
  ) {
    this.#lifecycle.assertOpen()
    return this.#listeners.on(event, listener)
  }

  stats(): UnreadableStats {
    this.#lifecycle.assertOpen()
    return { unreadable: this.#store.unreadable ?? 0 }
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

  async #getOrCreate(name: RootName): Promise<RootSummary | undefined> {
    const life = this.#life(name.realmId)
    const made = this.#store.getOrCreate(name, isPromiseLike(life) ? await life : life)
    const answer = isPromiseLike(made) ? await made : made
    if (answer?.created) this.#listeners.emit('created', { realmId: name.realmId, rootId: name.id })
    return answer?.root
  }

  async #patch(
    root: RootName,
    tabId: string,
    patch: TabDataPatch,
    renews: boolean,
  ): Promise<AuthSessionTab | undefined> {
    const life = await this.#life(root.realmId)
    const { maxNotesBytes } = this.#config
    const answer = await this.#store.patchTab(root, tabId, patch, { renews, maxNotesBytes }, life)
    if (answer?.outcome === 'patched') return answer.tab
    if (answer?.outcome === 'too-large') throw tooManyNotes(answer.bytes, this.#config)
    if (answer !== undefined) {
      this.#listeners.emit('removed', { realmId: root.realmId, rootId: root.id, reason: 'removed' })
    }
    return undefined
  }

  async #removeTab(
    root: RootName,
    tabId: string,
    rest: TabRest,
    life: RootLife,
    reason: 'removed' | 'finished',
  ): Promise<RemovedTab> {
    const outcome = await this.#store.removeTab(root, tabId, rest, life)
    if (outcome === undefined) return nothingRemoved()
    const { realmId, id: rootId } = root
    this.#listeners.emit('tab-removed', { realmId, rootId, tabId, reason })
    if (outcome === 'kept') return { removed: true, rootRemoved: false }
    this.#listeners.emit('removed', {
      realmId,
      rootId,
      reason: outcome === 'last-tab' ? 'last-tab' : 'finished',
    })
    return { removed: true, rootRemoved: true }
  }

  /** At once where the settings of the realm are. */
  #life(realmId: string): Answer<RootLife> {
    return mapAnswer(this.#context.realm(realmId), (realm) => this.#lifeIn(realm))
  }

  #lifeIn(realm: Realm): RootLife {
    return { now: this.clock.now(), lifespanMs: loginLifespanMs(realm) }
  }

  /** `undefined` for an id that this deployment cannot have minted. */
  #rootOf(realmId: string, rootId: string): RootName | undefined {
    this.#lifecycle.assertOpen()
    checkIds(realmId, rootId)
    return this.#hasPartitionOf(rootId) ? { realmId, id: rootId } : undefined
  }

  #rootOfTab(realmId: string, rootId: string, tabId: string): RootName | undefined {
    this.#lifecycle.assertOpen()
    checkTabIds(realmId, rootId, tabId)
    return this.#hasPartitionOf(rootId) ? { realmId, id: rootId } : undefined
  }

  #hasPartitionOf(rootId: string): boolean {
    const partition = partitionOf(rootId)
    return partition !== undefined && partition < this.#store.partitions
  }

  #newId(): string {
    const { partitions } = this.#store
    return this.#mintId(partitions === 1 ? 0 : randomInt(partitions))
  }
}

const nothingRemoved = (): RemovedTab => ({ removed: false, rootRemoved: false })
