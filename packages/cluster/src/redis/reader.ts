import type { RedisClient, RedisConnection } from '@authstate/redis'
import { type Clock, type Logger, timers } from '@authstate/spi'
import type { ChannelStatus, GapReason } from '../contract.js'
import type { LocalNode } from '../local-node.js'
import { type ClusterConfig, delivers } from '../rules.js'
import { channel } from '../scripts.js'
import type { ChannelKeys } from './publisher.js'
import { compareIds, decodeMessage } from './wire.js'

/** Most entries of one answer. */
const READ_COUNT = 500

/** How long an answer may be late before the connection counts as dead. */
const LATE_MS = 5_000

const RETRY_MS = { first: 10, most: 1_000 }

const EMPTY = '0-0'

/** An entry of a stream: id, then names and values in turn. */
type Entry = readonly [string, readonly string[]]

interface StreamClient extends RedisClient {
  xread(...args: (string | number)[]): Promise<readonly [string, readonly Entry[]][] | null>
}

/** What a heartbeat found out about the channel. */
export interface ChannelEnd {
  readonly lastId: string
  /** Number of the last event that each living sender knows to be stored, by incarnation. */
  readonly sent: ReadonlyMap<string, number>
}

/**
 * Follows the work channel on a connection of its own and never trusts it blindly.
 *
 * It goes on where it stopped, whatever became of the connection. Every event has a number of its sender: one that was
 * seen is dropped, one that is missing is a gap. So is a channel that begins after the place where the reader
 * stopped, or ends before it.
 */
export class ChannelReader {
  readonly #redis: RedisConnection
  readonly #keys: ChannelKeys
  readonly #node: LocalNode
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #config: ClusterConfig
  readonly #onView: (version: number) => void
  /** Number of the last event of each sender. */
  #seen = new Map<string, number>()
  /** Those of them that were no nodes at the last heartbeat. */
  #gone: ReadonlyMap<string, number> = new Map()
  #lastId: string | undefined
  /** Up to here a number may be missing: that it is has been told. */
  #toldUpTo = EMPTY
  #end: (ChannelEnd & { readonly readUpTo: string }) | undefined
  #state: ChannelStatus['state'] = 'disconnected'
  #heardAt = 0
  #client: StreamClient | undefined
  #giveUp: (error: Error) => void = () => {}
  #closed = false
  #unreadable = 0
  #following: Promise<void> | undefined

  constructor(
    redis: RedisConnection,
    keys: ChannelKeys,
    node: LocalNode,
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
    config: ClusterConfig,
    onView: (version: number) => void,
  ) {
    this.#redis = redis
    this.#keys = keys
    this.#node = node
    this.#clock = clock
    this.#logger = logger
    this.#config = config
    this.#onView = onView
  }

  get status(): ChannelStatus {
    return { state: this.#state, heardAt: this.#heardAt }
  }

  /** Resolves when the channel is live. */
  async open(): Promise<void> {
    const client = await this.#connect()
    await new Promise<void>((resolve, reject) => {
      this.#following = this.#followAll(client, resolve, reject)
    })
  }

  /** Compares what a heartbeat was told with what was read. */
  check(end: ChannelEnd): void {
    const before = this.#end
    const readUpTo = this.#lastId ?? EMPTY
    this.#end = { ...end, readUpTo }
    if (this.#state !== 'live') return
    if (before !== undefined && compareIds(readUpTo, before.lastId) < 0 && readUpTo === before.readUpTo) {
      this.#giveUp(new Error('nothing was read for a heartbeat, though there is something'))
      return
    }
    for (const due of [before, end]) if (due !== undefined) this.#compare(due)
    this.#forget(end)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#giveUp(new Error('closed'))
    this.#client?.disconnect()
    await this.#following
  }

  /** Everything up to `lastId` was read: what a sender knows to be stored must be among it. */
  #compare({ lastId, sent }: ChannelEnd): void {
    if (compareIds(this.#lastId ?? EMPTY, lastId) < 0) return
    let missing = false
    for (const [sender, number] of sent) {
      if ((this.#seen.get(sender) ?? 0) >= number) continue
      this.#seen.set(sender, number)
      missing = true
    }
    if (missing) this.#gap('lost')
  }

  /** Takes out senders that were gone at the last heartbeat already and have sent nothing since. */
  #forget({ sent }: ChannelEnd): void {
    for (const [sender, number] of this.#gone) {
      if (!sent.has(sender) && this.#seen.get(sender) === number) this.#seen.delete(sender)
    }
    this.#gone = new Map([...this.#seen].filter(([sender]) => !sent.has(sender)))
  }

  async #followAll(first: StreamClient, live: () => void, failed: (error: Error) => void): Promise<void> {
    for (
      let client: StreamClient | undefined = first;
      client !== undefined;
      client = await this.#reconnect()
    ) {
      this.#client = client
      await this.#follow(client, live).catch((error: Error) => {
        if (this.#closed) return
        if (this.#lastId === undefined) failed(error)
        this.#logger.debug({ error: error.name }, 'cluster: the reading connection was lost')
      })
      client.disconnect()
      this.#become('disconnected')
      if (this.#lastId === undefined) return
    }
  }

  async #reconnect(): Promise<StreamClient | undefined> {
    for (let retryMs = RETRY_MS.first; !this.#closed; retryMs = Math.min(RETRY_MS.most, retryMs * 2)) {
      try {
        const client = await this.#connect()
        if (!this.#closed) return client
        client.disconnect()
      } catch {
        await new Promise<void>((resolve) => {
          this.#giveUp = () => resolve()
          timers.setTimeout(resolve, retryMs * (0.5 + Math.random() / 2)).unref()
        })
      }
    }
    return undefined
  }

  async #connect(): Promise<StreamClient> {
    return (await this.#redis.openReader(this.#config.readWaitMs)) as StreamClient
  }

  /** Ends with an error, whatever ended it. */
  async #follow(client: StreamClient, live: () => void): Promise<never> {
    client.on('close', () => this.#giveUp(new Error('the connection was closed')))
    this.#become('catching-up')
    await this.#within(LATE_MS, this.#position(client))
    for (;;) {
      const asked = this.#clock.now()
      const entries = await this.#within(
        this.#config.readWaitMs + LATE_MS,
        this.#read(client, this.#state === 'live'),
      )
      for (const entry of entries) this.#take(entry)
      if (entries.length === READ_COUNT) continue
      // There was nothing more when Redis answered, so nothing older than the question is missing.
      this.#heardAt = asked
      if (this.#state !== 'live') {
        this.#become('live')
        live()
      }
    }
  }

  /**
   * Waits for an answer, until it is late or `#giveUp` is called.
   *
   * Nothing outlives the wait: what is raced against one promise for as long as a connection lasts piles up in it.
   */
  #within<T>(ms: number, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = timers.setTimeout(() => reject(new Error('no answer in time')), ms).unref()
      const fail = (error: Error) => {
        timers.clearTimeout(timer)
        reject(error)
      }
      this.#giveUp = fail
      answer.then((value) => {
        timers.clearTimeout(timer)
        resolve(value)
      }, fail)
    })
  }

  /** Where to go on, and whether that can be done without a gap. */
  async #position(client: StreamClient): Promise<void> {
    const { firstId, lastId, senders } = await this.#look(client)
    if (this.#lastId === undefined) {
      this.#lastId = lastId
      this.#seen = new Map(senders)
    } else if (compareIds(lastId, this.#lastId) < 0) {
      this.#lastId = EMPTY
      this.#toldUpTo = lastId
      this.#gap('lost')
    } else if (this.#lastId !== EMPTY && compareIds(this.#lastId, firstId) < 0) {
      this.#toldUpTo = lastId
      this.#gap('trimmed')
    }
  }

  /** On the reading connection: another one may speak to another server while a failover is going on. */
  async #look(client: StreamClient) {
    const keys = [this.#keys.events, this.#keys.senders]
    const reply = client.evalsha(channel.sha1, keys.length, ...keys).catch((error: Error) => {
      if (!error.message.startsWith('NOSCRIPT')) throw error
      return client.eval(channel.lua, keys.length, ...keys)
    })
    return channel.decode(await reply)
  }

  async #read(client: StreamClient, wait: boolean): Promise<readonly Entry[]> {
    const block = wait ? ['BLOCK', this.#config.readWaitMs] : []
    const reply = await client.xread(
      'COUNT',
      READ_COUNT,
      ...block,
      'STREAMS',
      this.#keys.events,
      this.#lastId ?? EMPTY,
    )
    return reply?.[0]?.[1] ?? []
  }

  #take([id, fields]: Entry): void {
    this.#lastId = id
    const field = (name: string) => {
      const index = fields.indexOf(name)
      return index % 2 === 0 ? fields[index + 1] : undefined
    }
    if (fields[0] === 'v') {
      this.#onView(Number(fields[1]))
      return
    }
    const sender = field('s') ?? ''
    const number = Number(field('n'))
    const seen = this.#seen.get(sender) ?? 0
    if (number <= seen) return
    this.#seen.set(sender, number)
    const message = decodeMessage(field('e') ?? '')
    const missing = number !== seen + 1 && compareIds(id, this.#toldUpTo) > 0
    if (missing) this.#gap(message !== undefined && message.topic === undefined ? 'abandoned' : 'lost')
    if (message === undefined) {
      this.#countUnreadable()
      return
    }
    const { topic, json, scope, skipSender } = message
    if (topic === undefined || json === undefined) return
    const info = {
      topic: topic.slice(1),
      id: `${sender}-${number}`,
      sender: { ...message.sender, incarnation: sender },
    }
    const delivery = { scope: scope ?? 'all', skipSender: skipSender ?? false, sender: info.sender }
    if (delivers(delivery, this.#node.node)) this.#node.topics.dispatch(topic, { json, info })
  }

  /** An event of a version to come may have said anything. */
  #countUnreadable(): void {
    this.#unreadable += 1
    if (this.#unreadable === 1) this.#logger.warn({}, 'cluster: an event can not be read; said once')
    this.#node.topics.gap('lost')
  }

  #gap(reason: GapReason): void {
    this.#logger.warn({ reason }, 'cluster: events are missing on the work channel')
    this.#node.topics.gap(reason)
  }

  #become(state: ChannelStatus['state']): void {
    if (state === this.#state) return
    this.#state = state
    this.#node.tellChannel(this.status)
  }
}
