import {
  followedBySites,
  KEY_GRACE_MS,
  type RedisConnection,
  redisConnectionSpi,
  type SiteVerbs,
} from '@authstate/redis'
import {
  allSteps,
  describedSchema,
  isExpired,
  type ProviderContext,
  type ProviderFactory,
} from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { AuthSessions } from './auth-sessions.js'
import { type AuthSessionConfig, authSessionConfig } from './config.js'
import { type AuthSessionProvider, authSessionSpi } from './contract.js'
import { RootKeys } from './redis/root-keys.js'
import { rootVersions, StoredRoots } from './redis/stored-roots.js'
import type { TabDataPatch } from './rules.js'
import * as scripts from './scripts.js'
import type {
  AuthSessionStore,
  PatchOptions,
  PatchOutcome,
  RootLife,
  RootName,
  TabDraft,
  TabRest,
} from './store.js'

/** Keeps authentication sessions in Redis, one hash per root, shared by every node. */
export function redisAuthSessions(): ProviderFactory<AuthSessionProvider, AuthSessionConfig>
export function redisAuthSessions(
  ...given: unknown[]
): ProviderFactory<AuthSessionProvider, AuthSessionConfig> {
  assertNoProperties(given, 'redisAuthSessions', authSessionSpi, 'redis')
  return {
    spi: authSessionSpi,
    id: 'redis',
    config: describedSchema(authSessionConfig),
    dependsOn: [redisConnectionSpi],
    create: (context, config) => {
      const sessions = new AuthSessions(context, config, new RedisStore(context))
      return followedBySites(sessions, context.get(redisConnectionSpi), authSessionSpi.name, VERBS)
    },
  }
}

/** Verbs after which other sites may be waited for. A second call of those that begin or hand over something does another thing. */
const VERBS: SiteVerbs<AuthSessionProvider> = {
  createRoot: 'unsafe',
  getOrCreateRoot: 'unsafe',
  restartRoot: 'safe',
  touchRoot: 'touch',
  removeRoot: 'safe',
  addTab: 'unsafe',
  updateTab: 'safe',
  restartTab: 'safe',
  removeTab: 'safe',
  finishTab: 'safe',
  promote: 'unsafe',
  removeByRealm: 'safe',
}

class RedisStore implements AuthSessionStore {
  readonly #redis: RedisConnection
  readonly #keys: RootKeys
  readonly #stored: StoredRoots

  constructor(context: ProviderContext) {
    this.#redis = context.get(redisConnectionSpi)
    this.#keys = new RootKeys(this.#redis.keys)
    this.#stored = new StoredRoots(context.logger)
  }

  get unreadable(): number {
    return this.#stored.unreadable
  }

  get partitions(): number {
    return this.#keys.partitions.length
  }

  async load(root: RootName, now: number) {
    const fields = await this.#redis.hgetall('auth-session.get-root', this.#keys.root(root).root)
    return this.#stored.root(root, fields, now)
  }

  async loadTab(root: RootName, tabId: string, now: number) {
    const fields = ['_v', 'x', `t:${tabId}`, `d:${tabId}`]
    const key = this.#keys.root(root).root
    const [format, expiresAt, head, data] = await this.#redis.hmget('auth-session.get-tab', key, fields)
    if (format === null) return undefined
    if (format !== rootVersions.current) return (await this.load(root, now))?.tabs.get(tabId)
    if (isExpired(Number(expiresAt), now)) return undefined
    if (typeof head !== 'string' || typeof data !== 'string') return undefined
    return this.#stored.tab(tabId, head, data)
  }

  async getOrCreate(name: RootName, life: RootLife) {
    const answer = await this.#redis.run(scripts.getOrCreateRoot, this.#keys.root(name), argsOf(name, life))
    const root = answer && this.#stored.summary(name, answer.times, life.now)
    return root && { created: answer?.created === true, root }
  }

  async restart(root: RootName, life: RootLife) {
    const times = await this.#redis.run(scripts.restartRoot, this.#keys.root(root), argsOf(root, life))
    return times && this.#stored.summary(root, times, life.now)
  }

  async touch(root: RootName, at: number, life: RootLife) {
    const args = { ...argsOf(root, life), at }
    const times = await this.#redis.run(scripts.touchRoot, this.#keys.root(root), args)
    return times === 'removed' ? times : times && this.#stored.summary(root, times, life.now)
  }

  remove(root: RootName, now: number) {
    return this.#redis.run(scripts.removeRoot, this.#keys.root(root), { now, id: root.id })
  }

  async addTab(name: RootName, { tabId, clientId, data }: TabDraft, maxTabs: number, life: RootLife) {
    const args = { ...argsOf(name, life), maxTabs, tab: tabId, client: clientId, data: JSON.stringify(data) }
    const answer = await this.#redis.run(scripts.addTab, this.#keys.root(name), args)
    const root = answer && this.#stored.summary(name, answer.times, life.now)
    return root && { root, ...(answer?.evicted && { evicted: answer.evicted }) }
  }

  async patchTab(
    root: RootName,
    tabId: string,
    patch: TabDataPatch,
    { renews, maxNotesBytes }: PatchOptions,
    life: RootLife,
  ): Promise<PatchOutcome> {
    const answer = await this.#redis.run(scripts.updateTab, this.#keys.root(root), {
      ...argsOf(root, life),
      tab: tabId,
      patch: JSON.stringify(patch),
      renew: renews ? 1 : 0,
      maxBytes: maxNotesBytes,
    })
    if (answer === undefined) return undefined
    if (answer === 'removed') return { outcome: 'root-removed' }
    if (typeof answer === 'number') return { outcome: 'too-large', bytes: answer }
    const tab = this.#stored.tab(tabId, ...answer)
    return tab && { outcome: 'patched', tab }
  }

  removeTab(root: RootName, tabId: string, { updatedAt, ends }: TabRest, life: RootLife) {
    const args = { ...argsOf(root, life), tab: tabId, at: updatedAt, end: ends ? 1 : 0 }
    return this.#redis.run(scripts.removeTab, this.#keys.root(root), args)
  }

  async promote(root: RootName, tabId: string, now: number) {
    const stored = await this.#redis.run(scripts.promoteTab, this.#keys.root(root), { now, tab: tabId })
    return stored && this.#stored.tab(tabId, ...stored)
  }

  async count(realmId: string, now: number) {
    const counts = await allSteps(
      this.#keys.partitions.map((partition) =>
        this.#redis.countAfter('auth-session.count', this.#keys.realm(partition, realmId).realm, now),
      ),
    )
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async removeByRealm(realmId: string, now: number, onRemoved: (rootId: string) => void) {
    let partitions = this.#keys.partitions
    for (let isBegun = false; partitions.length > 0; isBegun = true) {
      const answers = await this.#redis.runEach(
        scripts.removeRoots,
        partitions.map((partition) => ({ keys: this.#keys.realm(partition, realmId), args: { now } })),
        isBegun,
      )
      for (const { id, living } of answers.flatMap(({ roots }) => roots)) if (living) onRemoved(id)
      partitions = partitions.filter((_, index) => answers[index]?.more)
    }
  }
}

/** What every script takes that sets how long a root lives. */
function argsOf({ id }: RootName, { now, lifespanMs }: RootLife) {
  return { now, lifespanMs, graceMs: KEY_GRACE_MS, id }
}
