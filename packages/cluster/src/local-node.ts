import {
  assertFunction,
  type Clock,
  Emitter,
  Lifecycle,
  type ProviderContext,
  StoreUnavailableError,
  type UnreadableStats,
} from '@authstate/spi'
import { stopwatchOf } from '@authstate/spi/internal'
import { ulid } from 'ulid'
import type { Bus } from './bus.js'
import { checkPublish, checkSubscribe, checkTask } from './checks.js'
import type { ClusterConfig } from './config.js'
import type {
  ChannelStatus,
  ClusterNode,
  ClusterProvider,
  ClusterView,
  EventInfo,
  Lease,
  LockOptions,
  LockSession,
  PublishOptions,
  RunOnceOptions,
  RunOnceOrWaitOptions,
  SubscribeOptions,
} from './contract.js'
import { Leases } from './leases.js'
import { Locks } from './locks.js'
import { encodeEvent } from './rules.js'
import { Tasks } from './tasks.js'
import { Topics } from './topics.js'
import type { Transport } from './transport.js'
import { ViewKeeper } from './view.js'

/** Topics of applications and of this package are kept apart, so that neither can reach the other's. */
const APPLICATION = 'a'
const INTERNAL = 'i'

type Listen<T> = (value: T) => void

interface ChannelEvents {
  readonly channel: { readonly type: 'channel'; readonly status: ChannelStatus }
}

/** This node: what it knows, who listens here, and the verbs that both stores have in common. */
export class LocalNode implements ClusterProvider {
  readonly node: ClusterNode
  readonly clock: Clock
  readonly views: ViewKeeper
  readonly topics: Topics
  readonly #config: ClusterConfig
  readonly #transport: Transport
  readonly #leases: Leases
  readonly #tasks: Tasks
  readonly #locks: Locks
  readonly #channelListeners: Emitter<ChannelEvents>
  readonly #lifecycle = new Lifecycle('cluster')
  #closing: Promise<void> | undefined

  constructor(context: ProviderContext, config: ClusterConfig, transport: (node: LocalNode) => Transport) {
    const { clock, logger, node } = context
    this.clock = clock
    this.node = Object.freeze({ ...node, incarnation: ulid(clock.now()), joinedAt: clock.now() })
    this.#config = config
    this.#channelListeners = new Emitter<ChannelEvents>({ owner: 'cluster', events: ['channel'], logger })
    this.views = new ViewKeeper(logger)
    this.topics = new Topics(logger)
    this.#transport = transport(this)
    this.#leases = new Leases(this.#transport.leases, clock, logger)
    const bus: Bus = {
      publish: (topic, message) => this.#publish(topic, message),
      listen: (topic, listener) => void this.topics.subscribe(INTERNAL + topic, listener),
    }
    this.#tasks = new Tasks(this.#leases, bus, logger)
    this.#locks = new Locks(this.#leases, bus, stopwatchOf(context), logger)
  }

  view(): ClusterView {
    this.#lifecycle.assertOpen()
    return this.views.current
  }

  async refresh(): Promise<ClusterView> {
    this.#lifecycle.assertOpen()
    await this.#transport.refresh()
    return this.views.current
  }

  onViewChange(listener: Parameters<ClusterProvider['onViewChange']>[0]): () => void {
    this.#lifecycle.assertOpen()
    assertFunction(listener, 'listener')
    return this.views.listen(listener)
  }

  async publish(topic: string, event: unknown, options: PublishOptions = {}): Promise<void> {
    this.#lifecycle.assertOpen()
    const { scope, skipSender } = checkPublish(topic, options)
    const json = encodeEvent(event, this.#config.maxEventBytes)
    if (json !== undefined)
      await this.#transport.send({ topic: APPLICATION + topic, json, scope, skipSender })
  }

  subscribe<E = unknown>(
    topic: string,
    listener: (event: E, info: EventInfo) => void | Promise<void>,
    options?: SubscribeOptions,
  ): () => void {
    this.#lifecycle.assertOpen()
    checkSubscribe(topic, listener, options)
    return this.topics.subscribe(APPLICATION + topic, listener as Parameters<Topics['subscribe']>[1], options)
  }

  channel(): ChannelStatus {
    this.#lifecycle.assertOpen()
    return this.#transport.channel()
  }

  onChannelChange(listener: Listen<ChannelStatus>): () => void {
    this.#lifecycle.assertOpen()
    assertFunction(listener, 'listener')
    return this.#channelListeners.on('channel', ({ status }) => listener(status))
  }

  tellChannel(status: ChannelStatus): void {
    this.#channelListeners.emit('channel', { status })
  }

  async runOnce<R>(key: string, options: RunOnceOptions, task: (lease: Lease) => R | Promise<R>) {
    this.#lifecycle.assertOpen()
    return this.#tasks.runOnce<R>(key, options, task)
  }

  async runOnceOrWait<R>(key: string, options: RunOnceOrWaitOptions, task: (lease: Lease) => R | Promise<R>) {
    this.#lifecycle.assertOpen()
    checkTask(key, options, task)
    return this.#tasks.runOnceOrWait<R>(key, options, task)
  }

  async withLock<R>(namespace: string, options: LockOptions, work: (lease: Lease) => R | Promise<R>) {
    this.#lifecycle.assertOpen()
    return this.#locks.withLock(namespace, options, work)
  }

  lockSession(): LockSession {
    this.#lifecycle.assertOpen()
    return this.#locks.session()
  }

  async startedAt(): Promise<number> {
    this.#lifecycle.assertOpen()
    return this.#transport.startedAt()
  }

  stats(): UnreadableStats {
    this.#lifecycle.assertOpen()
    return { unreadable: this.#transport.unreadable ?? 0 }
  }

  async checkHealth(): Promise<void> {
    this.#lifecycle.assertOpen()
    await this.#transport.checkHealth()
    const { state } = this.#transport.channel()
    if (state !== 'live') {
      const { trouble } = this.#transport
      const why = trouble === undefined ? '' : `: ${trouble}`
      throw new StoreUnavailableError(`cluster.check-health: the work channel is ${state}${why}`, {
        applied: 'no',
      })
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    this.#lifecycle.close()
    this.#tasks.close()
    this.#locks.close()
    await this.#leases.close()
    await this.#transport.leave()
    this.topics.close()
    this.views.close()
    this.#channelListeners.clear()
  }

  #publish(topic: string, message: unknown): Promise<void> {
    return this.#transport.send({
      topic: INTERNAL + topic,
      json: JSON.stringify(message),
      scope: 'all',
      skipSender: true,
    })
  }
}
