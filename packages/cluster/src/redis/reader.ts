import { type RedisConnection, refusalText } from '@authstate/redis'
import { type Clock, type Logger, UnreadableCounter } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { ClusterConfig } from '../config.js'
import type { ChannelStatus, GapReason } from '../contract.js'
import type { LocalNode } from '../local-node.js'
import { delivers } from '../rules.js'
import { Listening, type Told } from './listening.js'
import type { ChannelKeys } from './publisher.js'
import { startFailure } from './start-failure.js'
import { type Entry, lookAtEnds, READ_COUNT, readAfter, type StreamClient } from './stream.js'
import { Waits } from './waits.js'
import { compareIds, decodeMessage } from './wire.js'

/** How long an answer may be late before the connection counts as dead. */
const LATE_MS = 5_000

/** Between two connections, of which none came to read the channel; `most` also where Redis refuses to let it be read. */
const RETRY_MS = { first: 10, most: 1_000, mostRefused: 5_000 }

const EMPTY = '0-0'

/** What a heartbeat found out about the channel. */
export interface ChannelEnd {
  readonly lastId: string
  /** Number of the last event that each living sender knows to be stored, by incarnation. */
  readonly sent: ReadonlyMap<string, number>
  /** Whether every living node tells listeners what it adds. */
  readonly isTold: boolean
}

/**
 * Follows the work channel on a connection of its own and never trusts it blindly.
 *
 * It goes on where it stopped, whatever became of the connection. Every event has a number of its sender: one that was
 * seen is dropped, one that is missing is a gap. So is a channel that begins after the place where the reader
 * stopped, or ends before it.
 *
 * While every node publishes what it adds and this one listens, an event is taken from the message,
 * if it directly follows the last one that was taken. Otherwise, and every `readWaitMs`, the
 * channel is read. If some node does not publish, a command waits in Redis for the next event.
 */
export class ChannelReader {
  readonly #redis: RedisConnection
  readonly #keys: ChannelKeys
  readonly #node: LocalNode
  readonly #clock: Clock
  readonly #watch: () => number
  readonly #logger: Logger
  readonly #config: ClusterConfig
  readonly #onView: (version: number) => void
  /** Number of the last event of each sender. */
  #seen = new Map<string, number>()
  /** Those of them that were no nodes at the last heartbeat. */
  #gone: ReadonlyMap<string, number> = new Map()
  #lastId: string | undefined
  /** Gaps up to this number have already been reported. */
  #toldUpTo = EMPTY
  #end: (ChannelEnd & { readonly readUpTo: string }) | undefined
  #state: ChannelStatus['state'] = 'disconnected'
  #heardAt = 0
  #heardOnWatch = 0
  /** Connections in a row on which the channel did not become live. */
  #failures = 0
  #trouble: string | undefined
  #client: StreamClient | undefined
  readonly #waits = new Waits()
  #isTold = false
  readonly #listening: Listening
  #closed = false
  readonly #unreadable: UnreadableCounter
  #following: Promise<void> | undefined

  constructor(
    redis: RedisConnection,
    keys: ChannelKeys,
    node: LocalNode,
    parts: { readonly clock: Clock; readonly watch: () => number; readonly logger: Logger },
    config: ClusterConfig,
    onView: (version: number) => void,
  ) {
    this.#redis = redis
    this.#keys = keys
    this.#node = node
    this.#clock = parts.clock
    this.#watch = parts.watch
    this.#logger = parts.logger
    this.#unreadable = new UnreadableCounter(parts.logger, 'cluster', 'an event')
    this.#config = config
    this.#onView = onView
    this.#listening = new Listening(redis, keys.events, parts.logger, {
      onTold: (told) => this.#heard(told),
      onChange: () => this.#waits.readNow(),
    })
  }

  get status(): ChannelStatus {
    return {
      state: this.#state,
      heardAt: this.#heardAt,
      silentMs: Math.max(0, this.#watch() - this.#heardOnWatch),
    }
  }

  /** Events that could not be read so far. */
  get unreadable(): number {
    return this.#unreadable.total
  }

  /** Why the channel cannot be read, where Redis refuses it. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /**
   * Resolves when the channel is live.
   *
   * @throws {ConfigurationError} the user of Redis has not the rights
   * @throws {StoreUnavailableError} it could not be read
   */
  async open(): Promise<void> {
    const client = await this.#connect()
    this.#listening.start()
    await new Promise<void>((resolve, reject) => {
      this.#following = this.#followAll(client, resolve, reject)
    })
  }

  /** Compares what a heartbeat learned with what was read. */
  check(end: ChannelEnd): void {
    const before = this.#end
    const readUpTo = this.#lastId ?? EMPTY
    this.#end = { ...end, readUpTo }
    if (this.#isTold !== end.isTold) {
      this.#isTold = end.isTold
      this.#waits.readNow()
    }
    if (this.#state !== 'live') return
    if (compareIds(readUpTo, end.lastId) < 0) this.#waits.readNow()
    if (before !== undefined && compareIds(readUpTo, before.lastId) < 0 && readUpTo === before.readUpTo) {
      this.#waits.giveUp(new Error('nothing was read for a heartbeat, though there is something'))
      return
    }
    for (const due of [before, end]) if (due !== undefined) this.#compare(due)
    this.#forget(end)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#waits.giveUp(new Error('closed'))
    this.#client?.disconnect()
    await Promise.all([this.#following, this.#listening.close()])
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

  /** Removes senders that were already removed at the last heartbeat and have sent nothing since. */
  #forget({ sent }: ChannelEnd): void {
    for (const [sender, number] of this.#gone) {
      if (!sent.has(sender) && this.#seen.get(sender) === number) this.#seen.delete(sender)
    }
    this.#gone = new Map([...this.#seen].filter(([sender]) => !sent.has(sender)))
  }

  async #followAll(first: StreamClient, live: () => void, failed: (error: Error) => void): Promise<void> {
    let hasBeenLive = false
    for (
      let client: StreamClient | undefined = first;
      client !== undefined;
      client = await this.#reconnect()
    ) {
      this.#client = client
      let wasLive = false
      const isLive = () => {
        // The channel may be on another server now, and a listener may still be connected to the one before.
        if (hasBeenLive) this.#listening.restart()
        wasLive = true
        hasBeenLive = true
        this.#recovered()
        live()
      }
      const error = await this.#follow(client, isLive).catch((reason: Error) => reason)
      client.disconnect()
      this.#become('disconnected')
      if (this.#closed) return
      if (!hasBeenLive) {
        failed(startFailure(error))
        return
      }
      this.#failed(error, wasLive)
    }
  }

  async #reconnect(): Promise<StreamClient | undefined> {
    while (!this.#closed) {
      // A connection that had been live is replaced at once. One that is refused again and again waits.
      if (this.#failures > 0) await this.#pause()
      try {
        const client = await this.#connect()
        if (!this.#closed) return client
        client.disconnect()
      } catch {
        this.#failures += 1
      }
    }
    return undefined
  }

  async #pause(): Promise<void> {
    const most = this.#trouble === undefined ? RETRY_MS.most : RETRY_MS.mostRefused
    const ms = Math.min(most, RETRY_MS.first * 2 ** Math.min(this.#failures, 16))
    if (this.#closed) return
    await new Promise<void>((resolve) => {
      this.#waits.giveUp = () => resolve()
      timers.setTimeout(resolve, ms * (0.5 + Math.random() / 2)).unref()
    })
  }

  #failed(error: Error, wasLive: boolean): void {
    this.#failures = wasLive ? 0 : this.#failures + 1
    const refusal = refusalText(error)
    if (refusal === undefined) {
      this.#logger.debug({ error: error.name }, 'cluster: the reading connection was lost')
      return
    }
    if (this.#trouble === undefined) {
      this.#logger.warn({ reason: refusal }, 'cluster: the work channel cannot be read; trying again')
    }
    this.#trouble = refusal
    this.#failures = Math.max(1, this.#failures)
  }

  #recovered(): void {
    this.#failures = 0
    if (this.#trouble === undefined) return
    this.#trouble = undefined
    this.#logger.info({}, 'cluster: the work channel can be read again')
  }

  async #connect(): Promise<StreamClient> {
    return (await this.#redis.openReader(this.#config.readWaitMs, false)) as StreamClient
  }

  /** Ends with an error, whatever ended it. */
  async #follow(client: StreamClient, isLive: () => void): Promise<never> {
    const onClose = () => this.#waits.giveUp(new Error('the connection was closed'))
    client.on('close', onClose)
    try {
      return await this.#readAll(client, isLive)
    } finally {
      // It ends nothing that comes after it.
      client.off('close', onClose)
    }
  }

  async #readAll(client: StreamClient, isLive: () => void): Promise<never> {
    this.#become('catching-up')
    await this.#waits.within(LATE_MS, this.#position(client))
    for (;;) {
      const asked = this.#clock.now()
      const askedOnWatch = this.#watch()
      this.#waits.reads()
      const waits = this.#state === 'live' && !this.#hears
      const { readWaitMs } = this.#config
      const answer = readAfter(client, this.#keys.events, this.#lastId ?? EMPTY, waits ? readWaitMs : 0)
      const entries = await this.#waits.within(readWaitMs + LATE_MS, answer)
      for (const entry of entries) this.#take(entry)
      if (entries.length === READ_COUNT) continue
      // There was nothing more when Redis answered, so nothing older than the question is missing.
      this.#heardAt = asked
      this.#heardOnWatch = askedOnWatch
      if (this.#state !== 'live') {
        this.#become('live')
        isLive()
      }
      if (!this.#hears) continue
      if (!(await this.#waits.untilBehind(this.#config.readWaitMs))) this.#listening.check()
    }
  }

  /** Whether everything that is added reaches this node without a question. */
  get #hears(): boolean {
    return this.#isTold && this.#listening.isLive
  }

  /** Takes a published event if it directly follows the last one; what is missing is read. */
  #heard(told: Told | undefined): void {
    if (this.#state !== 'live') return
    const at = this.#lastId ?? EMPTY
    if (told === undefined) this.#waits.readNow()
    else if (told.before === at) {
      this.#takeEvent(told.id, told.sender, Number(told.number), told.text)
    } else if (compareIds(told.id, at) > 0) this.#waits.readNow()
  }

  /** Where to go on, and whether that can be done without a gap. */
  async #position(client: StreamClient): Promise<void> {
    const { firstId, lastId, senders } = await lookAtEnds(client, this.#keys)
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

  #take([id, fields]: Entry): void {
    // It was told while the answer was under way.
    if (compareIds(id, this.#lastId ?? EMPTY) <= 0) return
    const field = (name: string) => {
      const index = fields.indexOf(name)
      return index % 2 === 0 ? fields[index + 1] : undefined
    }
    if (fields[0] === 'v') {
      this.#lastId = id
      this.#onView(Number(fields[1]))
      return
    }
    this.#takeEvent(id, field('s') ?? '', Number(field('n')), field('e') ?? '')
  }

  #takeEvent(id: string, sender: string, number: number, text: string): void {
    this.#lastId = id
    const seen = this.#seen.get(sender) ?? 0
    if (number <= seen) return
    this.#seen.set(sender, number)
    const message = decodeMessage(text)
    const missing = number !== seen + 1 && compareIds(id, this.#toldUpTo) > 0
    if (missing) this.#gap(message !== undefined && message.topic === undefined ? 'abandoned' : 'lost')
    if (message === undefined) {
      // An event of a version to come may have said anything.
      this.#unreadable.count()
      this.#node.topics.gap('lost')
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
