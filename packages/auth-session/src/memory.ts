import {
  assertInstant,
  assertName,
  assertText,
  type Clock,
  createIdMinter,
  type EventOf,
  isExpired,
  jsonMap,
  Lifecycle,
  type MintId,
  type ProviderContext,
  type ProviderFactory,
  partitionOf,
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
  type RootAuthSession,
  type RootRemovalReason,
  type RootSummary,
} from './contract.js'
import { Listeners } from './events.js'
import { oldestFirst, type StoredRoot, StoredRoots } from './memory/roots.js'
import {
  type AuthSessionConfig,
  afterFinish,
  assertNotesFit,
  authSessionConfig,
  checkIds,
  checkNewTab,
  checkTabIds,
  checkTabPatch,
  loginLifespanMs,
  mergeTabData,
  newTabId,
  promoted,
  RESTARTED,
  type TabDataPatch,
  tabOf,
} from './rules.js'

/** Keeps authentication sessions in this process. They are lost with it and not shared. */
export function memoryAuthSessions(): ProviderFactory<AuthSessionProvider, AuthSessionConfig> {
  return {
    spi: authSessionSpi,
    id: 'memory',
    config: toStandardJsonSchema(authSessionConfig),
    create: (context, config) => new MemoryAuthSessions(context, config),
  }
}

/** There is nothing to spread over here. */
const PARTITION = 0

class MemoryAuthSessions implements AuthSessionProvider {
  readonly clock: Clock
  readonly #roots = new StoredRoots()
  readonly #context: ProviderContext
  readonly #config: AuthSessionConfig
  readonly #listeners: Listeners
  readonly #mintId: MintId
  readonly #lifecycle = new Lifecycle('auth-session')

  constructor(context: ProviderContext, config: AuthSessionConfig) {
    this.clock = context.clock
    this.#context = context
    this.#config = config
    this.#listeners = new Listeners(context.logger)
    this.#mintId = createIdMinter(context.node.site)
  }

  async createRoot(realmId: string) {
    return this.getOrCreateRoot(realmId, undefined)
  }

  async getRoot(realmId: string, rootId: string) {
    const root = this.#living(realmId, rootId)
    return root && viewOf(root)
  }

  async getOrCreateRoot(realmId: string, rootId: string | undefined) {
    this.#enter()
    assertName(realmId, 'realmId')
    if (rootId !== undefined) assertText(rootId, 'rootId')
    const lifespanMs = await this.#lifespanMs(realmId)
    const id = rootId !== undefined && partitionOf(rootId) === PARTITION ? rootId : this.#mintId(PARTITION)
    const living = this.#living(realmId, id)
    if (living !== undefined) return summaryOf(living)
    const now = this.#context.clock.now()
    const root = { id, realmId, createdAt: now, updatedAt: now, expiresAt: now + lifespanMs, tabs: new Map() }
    this.#roots.put(root)
    this.#roots.prune(now)
    this.#listeners.emit('created', { realmId, rootId: id })
    return summaryOf(root)
  }

  async restartRoot(realmId: string, rootId: string) {
    this.#enter()
    checkIds(realmId, rootId)
    const lifespanMs = await this.#lifespanMs(realmId)
    const root = this.#living(realmId, rootId)
    if (root === undefined) return undefined
    root.tabs.clear()
    this.#renew(root, this.#context.clock.now(), lifespanMs)
    return summaryOf(root)
  }

  async touchRoot(realmId: string, rootId: string, at?: number) {
    this.#enter()
    checkIds(realmId, rootId)
    if (at !== undefined) assertInstant(at, 'at')
    const lifespanMs = await this.#lifespanMs(realmId)
    const root = this.#living(realmId, rootId)
    if (root === undefined) return undefined
    return this.#renew(root, at ?? this.#context.clock.now(), lifespanMs) ? summaryOf(root) : undefined
  }

  async removeRoot(realmId: string, rootId: string) {
    const root = this.#living(realmId, rootId)
    if (root === undefined) return false
    this.#remove(root, 'removed')
    return true
  }

  async addTab(realmId: string, rootId: string, tab: NewAuthSessionTab): Promise<AddedTab | undefined> {
    this.#enter()
    checkIds(realmId, rootId)
    const { clientId, data } = checkNewTab(tab, this.#config, this.clock)
    const lifespanMs = await this.#lifespanMs(realmId)
    const root = this.#living(realmId, rootId)
    if (root === undefined) return undefined
    const now = this.#context.clock.now()
    const evicted = root.tabs.size >= this.#config.maxTabs ? oldestFirst(root)[0]?.head.tabId : undefined
    if (evicted !== undefined) root.tabs.delete(evicted)
    const added = { head: { tabId: newTabId(), clientId, createdAt: now }, data }
    root.tabs.set(added.head.tabId, added)
    this.#renew(root, now, lifespanMs)
    if (evicted !== undefined) {
      this.#listeners.emit('tab-removed', { realmId, rootId, tabId: evicted, reason: 'evicted' })
    }
    this.#listeners.emit('tab-added', { realmId, rootId, tabId: added.head.tabId })
    return { root: summaryOf(root), tab: tabOf(added.head, data), ...(evicted !== undefined && { evicted }) }
  }

  async getTab(realmId: string, rootId: string, clientId: string, tabId: string) {
    this.#enter()
    assertName(clientId, 'clientId')
    assertName(tabId, 'tabId')
    const tab = this.#living(realmId, rootId)?.tabs.get(tabId)
    return tab?.head.clientId === clientId ? tabOf(tab.head, tab.data) : undefined
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
    const lifespanMs = await this.#lifespanMs(realmId)
    const updatedAt = this.#context.clock.now()
    return this.#removeTab(realmId, rootId, tabId, { updatedAt, lifespanMs, ends: false }, 'removed')
  }

  async finishTab(realmId: string, rootId: string, tabId: string): Promise<RemovedTab> {
    this.#enter()
    checkTabIds(realmId, rootId, tabId)
    const realm = await this.#context.realm(realmId)
    const rest = { ...afterFinish(realm, this.#context.clock.now()), lifespanMs: loginLifespanMs(realm) }
    return this.#removeTab(realmId, rootId, tabId, rest, 'finished')
  }

  async promote(realmId: string, rootId: string, tabId: string) {
    this.#enter()
    assertName(tabId, 'tabId')
    const tab = this.#living(realmId, rootId)?.tabs.get(tabId)
    if (tab === undefined || tab.head.promotedAt !== undefined) return undefined
    tab.head = { ...tab.head, promotedAt: this.#context.clock.now() }
    this.#listeners.emit('promoted', { realmId, rootId, tabId })
    return promoted(tabOf(tab.head, tab.data))
  }

  async removeByRealm(realmId: string) {
    this.#enter()
    assertName(realmId, 'realmId')
    const now = this.#context.clock.now()
    let removed = 0
    for (const root of this.#roots.ofRealm(realmId)) {
      if (isExpired(root.expiresAt, now)) this.#roots.remove(root)
      else {
        this.#remove(root, 'realm')
        removed += 1
      }
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
    this.#roots.clear()
    this.#listeners.clear()
  }

  async #patch(
    realmId: string,
    rootId: string,
    tabId: string,
    patch: TabDataPatch,
    renews: boolean,
  ): Promise<AuthSessionTab | undefined> {
    const lifespanMs = await this.#lifespanMs(realmId)
    const root = this.#living(realmId, rootId)
    const tab = root?.tabs.get(tabId)
    if (root === undefined || tab === undefined) return undefined
    const now = this.#context.clock.now()
    const updatedAt = renews ? now : root.updatedAt
    const data = mergeTabData(tab.data, patch)
    // A root without life left goes, whatever the patch holds.
    if (!isExpired(updatedAt + lifespanMs, now)) assertNotesFit(data, this.#config)
    if (!this.#renew(root, updatedAt, lifespanMs)) return undefined
    tab.data = data
    return tabOf(tab.head, data)
  }

  #removeTab(
    realmId: string,
    rootId: string,
    tabId: string,
    rest: { readonly updatedAt: number; readonly lifespanMs: number; readonly ends: boolean },
    reason: 'removed' | 'finished',
  ): RemovedTab {
    const root = this.#living(realmId, rootId)
    if (!root?.tabs.delete(tabId)) return { removed: false, rootRemoved: false }
    this.#listeners.emit('tab-removed', { realmId, rootId, tabId, reason })
    if (root.tabs.size === 0) this.#remove(root, 'last-tab')
    else if (rest.ends) this.#remove(root, 'finished')
    else this.#renew(root, rest.updatedAt, rest.lifespanMs)
    return { removed: true, rootRemoved: this.#living(realmId, rootId) === undefined }
  }

  /** @returns `false` when no life was left, and the root is gone. */
  #renew(root: StoredRoot, updatedAt: number, lifespanMs: number): boolean {
    const now = this.#context.clock.now()
    root.updatedAt = updatedAt
    root.expiresAt = updatedAt + lifespanMs
    const lives = !isExpired(root.expiresAt, now)
    if (!lives) this.#remove(root, 'removed')
    this.#roots.prune(now)
    return lives
  }

  #remove(root: StoredRoot, reason: RootRemovalReason): void {
    this.#roots.remove(root)
    this.#listeners.emit('removed', { realmId: root.realmId, rootId: root.id, reason })
  }

  #living(realmId: string, rootId: string): StoredRoot | undefined {
    this.#enter()
    checkIds(realmId, rootId)
    return this.#roots.living(realmId, rootId, this.#context.clock.now())
  }

  async #lifespanMs(realmId: string): Promise<number> {
    return loginLifespanMs(await this.#context.realm(realmId))
  }

  #enter(): void {
    this.#lifecycle.assertOpen()
  }
}

function summaryOf({ id, realmId, createdAt, updatedAt, expiresAt }: StoredRoot): RootSummary {
  return { id, realmId, createdAt, updatedAt, expiresAt }
}

function viewOf(root: StoredRoot): RootAuthSession {
  return {
    ...summaryOf(root),
    tabs: jsonMap(oldestFirst(root).map(({ head, data }) => [head.tabId, tabOf(head, data)] as const)),
  }
}
