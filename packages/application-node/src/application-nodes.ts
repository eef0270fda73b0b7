import { httpClientSpi } from '@authstate/http-client'
import {
  assertName,
  type Clock,
  Emitter,
  type EventOf,
  encodeCursor,
  Lifecycle,
  type Page,
  type PageOptions,
  type ProviderContext,
  randomId,
} from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import { recipientsOf, stepsOf } from './announcing.js'
import {
  checkAnnouncement,
  checkAnnounceOptions,
  checkHost,
  checkNode,
  checkPageOptions,
  checkWait,
} from './checks.js'
import type { ApplicationNodeConfig } from './config.js'
import type {
  Announced,
  Announcement,
  AnnounceOptions,
  ApplicationNodeEvents,
  ApplicationNodeProvider,
  ApplicationNodeStats,
  DeadLetter,
  Delivery,
  DeliveryReason,
  NewNode,
  RegisterOutcome,
} from './contract.js'
import { Dispatcher } from './dispatcher.js'
import { canonicalHost } from './hosts.js'
import type { ApplicationNodeOptions } from './options.js'
import { deliveryIdOf, partsOfDeadId, toNode } from './rules.js'
import type { NodeStore, StoredMessage, Terms } from './store.js'
import { type CheckedTargets, checkTargets } from './targets.js'
import { placeOf, toDelivery, toLetter } from './views.js'

/** How often `settled` looks for what other processes sent. */
const LOOK_MS = 200

/** The contract, over whatever store: checks, hosts and rules of clients, what a message is, events, and the sending. */
export class ApplicationNodes implements ApplicationNodeProvider {
  /** What nodes and messages end by. */
  readonly clock: Clock
  readonly #config: ApplicationNodeConfig
  readonly #options: ApplicationNodeOptions
  readonly #store: NodeStore
  readonly #dispatcher: Dispatcher
  readonly #lifecycle = new Lifecycle('application-node')
  readonly #listeners: Emitter<ApplicationNodeEvents>
  readonly #waiting = new Set<() => void>()
  readonly #counts = { delivered: 0, retrying: 0, failed: 0, refused: 0, superseded: 0, dead: 0 }

  constructor(
    context: ProviderContext,
    config: ApplicationNodeConfig,
    options: ApplicationNodeOptions,
    store: NodeStore,
  ) {
    const { clock, logger } = context
    this.clock = clock
    this.#config = config
    this.#options = options
    this.#store = store
    this.#listeners = new Emitter<ApplicationNodeEvents>({
      owner: 'application-node',
      events: ['delivered', 'retrying', 'failed', 'refused', 'superseded', 'dead'],
      logger,
    })
    let isTroubled = false
    this.#dispatcher = new Dispatcher({
      store,
      http: context.get(httpClientSpi),
      options,
      config,
      clock,
      terms: () => this.#terms(),
      onSettled: (message) => {
        isTroubled = false
        this.#onSettled(message)
      },
      onTrouble: (error) => {
        if (!isTroubled && !this.#lifecycle.isClosed)
          logger.warn(
            { error: error instanceof Error ? error.name : typeof error },
            'application-node: messages cannot be sent now; they wait',
          )
        isTroubled = true
      },
    })
  }

  async register(realmId: string, clientId: string, node: NewNode) {
    this.#enter(realmId, clientId)
    return this.#put(realmId, clientId, checkNode(node), 'registered')
  }

  async addManual(realmId: string, clientId: string, host: string) {
    this.#enter(realmId, clientId)
    checkHost(host)
    return this.#put(realmId, clientId, { host }, 'manual')
  }

  async unregister(realmId: string, clientId: string, host: string) {
    return this.#remove(realmId, clientId, host, 'registered')
  }

  async removeNode(realmId: string, clientId: string, host: string) {
    return this.#remove(realmId, clientId, host, undefined)
  }

  async list(realmId: string, clientId: string) {
    this.#enter(realmId, clientId)
    const nodes = await this.#store.listNodes({ realmId, clientId }, this.clock.now())
    return nodes
      .map((node) => toNode(realmId, clientId, node))
      .sort((a, b) => (a.host < b.host ? -1 : Number(a.host > b.host)))
  }

  async removeByClient(realmId: string, clientId: string) {
    this.#enter(realmId, clientId)
    return this.#store.removeNodes({ realmId, clientId }, this.clock.now())
  }

  async removeByRealm(realmId: string) {
    this.#enterRealm(realmId)
    return this.#store.removeRealm(realmId, this.clock.now())
  }

  async checkClient(realmId: string, clientId: string) {
    this.#enter(realmId, clientId)
    await this.#targetsOf(realmId, clientId)
  }

  async announce(realmId: string, announcement: Announcement, options?: AnnounceOptions): Promise<Announced> {
    this.#enterRealm(realmId)
    const checked = checkAnnouncement(announcement)
    const { clientIds, dedupeKey } = checkAnnounceOptions(options)
    const recipients = await recipientsOf(this.#options, realmId, checked.recipients, clientIds)
    const deliveryId = dedupeKey === undefined ? randomId() : deliveryIdOf(realmId, dedupeKey)
    const refused: Partial<Record<DeliveryReason, number>> = {}
    const count = (reason: DeliveryReason, times: number): void => {
      if (times > 0) refused[reason] = (refused[reason] ?? 0) + times
    }
    let targets = 0
    const sources = { options: this.#options, store: this.#store, clock: this.clock }
    for await (const messages of stepsOf(sources, realmId, recipients, checked.announcement)) {
      targets += messages.length
      for (const { refused: reason } of messages) if (reason !== undefined) count(reason, 1)
      const stored = { realmId, deliveryId, announcement: checked.announcement, messages }
      count('queue-full', await this.#store.enqueue(stored, this.#terms()))
    }
    this.#dispatcher.nudge()
    return { deliveryId, targets, refused }
  }

  async delivery(realmId: string, deliveryId: string): Promise<Delivery | undefined> {
    this.#enterRealm(realmId)
    assertName(deliveryId, 'deliveryId')
    return this.#load(realmId, deliveryId)
  }

  async settled(realmId: string, deliveryId: string, options: { readonly waitMs: number }) {
    this.#enterRealm(realmId)
    assertName(deliveryId, 'deliveryId')
    const until = timers.monotonicMs() + checkWait(options)
    for (;;) {
      const found = await this.#load(realmId, deliveryId)
      const leftMs = until - timers.monotonicMs()
      if (found === undefined || found.settled || leftMs <= 0) return found
      await this.#change(Math.min(leftMs, LOOK_MS))
      this.#lifecycle.assertOpen()
    }
  }

  async deliverDue() {
    this.#lifecycle.assertOpen()
    return this.#dispatcher.deliverDue()
  }

  async listDead(realmId: string, page?: PageOptions): Promise<Page<DeadLetter>> {
    this.#enterRealm(realmId)
    const { items, end } = await this.#store.listDead(realmId, checkPageOptions(page), this.clock.now())
    const letters = items.map(toLetter)
    return end === undefined ? { items: letters } : { items: letters, cursor: encodeCursor(end) }
  }

  async retryDead(realmId: string, id: string) {
    this.#enterRealm(realmId)
    assertName(id, 'id')
    const parts = partsOfDeadId(id)
    if (parts === undefined) return false
    const isRevived = await this.#store.reviveDead(realmId, parts.deliveryId, parts.id, this.#terms())
    if (isRevived) this.#dispatcher.nudge()
    return isRevived
  }

  async discardDead(realmId: string, id: string) {
    this.#enterRealm(realmId)
    assertName(id, 'id')
    const parts = partsOfDeadId(id)
    if (parts === undefined) return false
    return this.#store.discardDead(realmId, parts.deliveryId, parts.id, this.clock.now())
  }

  on<E extends keyof ApplicationNodeEvents | '*'>(
    event: E,
    listener: (event: EventOf<ApplicationNodeEvents, E>) => void,
  ) {
    this.#lifecycle.assertOpen()
    return this.#listeners.on(event, listener)
  }

  stats(): ApplicationNodeStats {
    const { sending, attempts } = this.#dispatcher
    return { sending, attempts, ...this.#counts, unreadable: this.#store.unreadable ?? 0 }
  }

  async checkHealth() {
    this.#lifecycle.assertOpen()
    await this.#store.checkHealth?.()
  }

  async close() {
    if (this.#lifecycle.isClosed) return
    this.#lifecycle.close()
    for (const wake of this.#waiting) wake()
    await this.#dispatcher.close()
    this.#listeners.clear()
    await this.#store.close?.()
  }

  async #put(
    realmId: string,
    clientId: string,
    { host: given, version }: NewNode,
    source: 'registered' | 'manual',
  ): Promise<RegisterOutcome> {
    const host = canonicalHost(given)
    if (host === undefined) return { outcome: 'refused', reason: 'host' }
    const targets = await this.#targetsOf(realmId, clientId)
    if (targets === undefined || !targets.isAllowed(host))
      return { outcome: 'refused', reason: 'host-not-allowed' }
    const now = this.clock.now()
    const { nodeTimeoutMs, maxNodes } = targets
    const mayEnd = source === 'registered' && nodeTimeoutMs > 0
    const put = await this.#store.putNode(
      { realmId, clientId },
      {
        host,
        source,
        registeredAt: now,
        lastSeenAt: now,
        expiresAt: mayEnd ? now + nodeTimeoutMs : Number.POSITIVE_INFINITY,
        ...(version !== undefined && { version }),
      },
      maxNodes,
      now,
    )
    if (put.outcome === 'limit') return { outcome: 'refused', reason: 'limit' }
    return { outcome: put.outcome, node: toNode(realmId, clientId, put.node) }
  }

  async #remove(
    realmId: string,
    clientId: string,
    given: string,
    source: 'registered' | undefined,
  ): Promise<boolean> {
    this.#enter(realmId, clientId)
    checkHost(given)
    const host = canonicalHost(given)
    if (host === undefined) return false
    return this.#store.removeNode({ realmId, clientId }, host, source, this.clock.now())
  }

  /** @throws {ConfigurationError} they are wrong */
  async #targetsOf(realmId: string, clientId: string): Promise<CheckedTargets | undefined> {
    const given = await this.#options.clients(realmId, clientId)
    return given && checkTargets(clientId, given)
  }

  async #load(realmId: string, deliveryId: string): Promise<Delivery | undefined> {
    const found = await this.#store.loadDelivery(realmId, deliveryId, this.clock.now())
    if (found === undefined) return undefined
    return toDelivery(realmId, deliveryId, found)
  }

  #onSettled({ realmId, deliveryId, target, state }: StoredMessage): void {
    const { attempts, lastStatus: status, reason } = state
    for (const wake of this.#waiting) wake()
    if (state.state === 'queued') return
    this.#counts[state.state] += 1
    this.#listeners.emit(state.state, {
      realmId,
      deliveryId,
      ...placeOf(target),
      attempts,
      ...(status !== undefined && { status }),
      ...(reason !== undefined && { reason }),
    })
  }

  /** Resolves when something was settled here, and after a while. */
  async #change(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timers.clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = timers.setTimeout(done, ms)
      this.#waiting.add(done)
    })
  }

  #terms(): Terms {
    const { maxLifeMs, keepMs, deadKeepMs, maxQueued, maxDead } = this.#config
    return { now: this.clock.now(), maxLifeMs, keepMs, deadKeepMs, maxQueued, maxDead }
  }

  #enter(realmId: unknown, clientId: unknown): void {
    this.#enterRealm(realmId)
    assertName(clientId, 'clientId')
  }

  #enterRealm(realmId: unknown): void {
    this.#lifecycle.assertOpen()
    assertName(realmId, 'realmId')
  }
}
