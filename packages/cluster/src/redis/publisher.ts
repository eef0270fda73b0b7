import type { RedisConnection } from '@authstate/redis'
import { Lifecycle, type Logger, ProviderClosedError, StoreUnavailableError } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { ClusterConfig } from '../config.js'
import type { ClusterNode } from '../contract.js'
import { publish } from '../scripts.js'
import type { Message } from '../transport.js'
import type { Announcing } from './announcing.js'
import { encodeAbandonment, encodeMessage } from './wire.js'

/** Most that one script adds: it must not keep others from Redis for long. */
const BATCH = { events: 200, characters: 512 * 1024 }

/** Most that may wait to be sent. While Redis is away each event waits for `publishTimeoutMs` and no longer. */
const QUEUE = { events: 20_000, characters: 16 * 1024 * 1024 }

const RETRY_MS = { first: 20, most: 1_000 }

/** How long closing waits for what is still to be sent. */
const FAREWELL_MS = 2_000

interface Waiting {
  readonly text: string
  readonly since: number
  resolve(): void
  reject(error: Error): void
}

export interface ChannelKeys {
  readonly events: string
  readonly senders: string
}

/**
 * Sends the events of this node, one batch at a time.
 *
 * Events are numbered, and a batch is sent again under the same numbers until Redis has answered: so none comes twice
 * and none overtakes another. What cannot be stored in time, or finds the queue full, is given up, and the next thing that is
 * sent says so. Every event is settled, whatever becomes of Redis.
 */
export class Publisher {
  readonly #redis: RedisConnection
  readonly #keys: ChannelKeys
  readonly #node: ClusterNode
  readonly #config: ClusterConfig
  readonly #keepMs: number
  readonly #announcing: Announcing
  readonly #logger: Logger
  readonly #waiting: Waiting[] = []
  #sending: Promise<void> | undefined
  #number = 0
  #stored = 0
  #characters = 0
  /** Events were given up, and the others have not been notified. */
  #abandoned = false
  /** Some of them never had a number: the others notice when one is left out. */
  #unnumbered = false
  /** How many were given up since Redis last took one. */
  #givenUp = 0
  #expiry: NodeJS.Timeout | undefined
  readonly #lifecycle = new Lifecycle('cluster')
  #wake: () => void = () => {}

  constructor(
    redis: RedisConnection,
    keys: ChannelKeys,
    node: ClusterNode,
    config: ClusterConfig,
    keepMs: number,
    announcing: Announcing,
    logger: Logger,
  ) {
    this.#redis = redis
    this.#keys = keys
    this.#node = node
    this.#config = config
    this.#keepMs = keepMs
    this.#announcing = announcing
    this.#logger = logger
  }

  /** Number of the last event that Redis acknowledged. */
  get stored(): number {
    return this.#stored
  }

  /** @throws {StoreUnavailableError} it could not be stored in time, or too much waits already */
  send(message: Message): Promise<void> {
    if (this.#lifecycle.isClosed) return Promise.reject(this.#lifecycle.closedError())
    const text = encodeMessage(message, this.#node)
    if (this.#waiting.length >= QUEUE.events || this.#characters + text.length > QUEUE.characters) {
      this.#unnumbered = true
      this.#giveUp(1)
      const full = `cluster.publish: ${this.#waiting.length} events wait to be stored already, as many as may`
      return Promise.reject(new StoreUnavailableError(full, { applied: 'no' }))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, since: timers.monotonicMs(), resolve, reject })
      this.#characters += text.length
      this.#expiry ??= this.#expireAfter(this.#config.publishTimeoutMs)
      this.#start()
    })
  }

  /** Sends what is left, if that is quick. */
  async close(): Promise<void> {
    this.#lifecycle.close()
    this.#wake()
    let timer: NodeJS.Timeout | undefined
    const enough = new Promise<void>((resolve) => {
      timer = timers.setTimeout(resolve, FAREWELL_MS)
    })
    await Promise.race([this.#sending, enough])
    timers.clearTimeout(timer)
    timers.clearTimeout(this.#expiry)
    for (const event of this.#dequeue(this.#waiting.length)) event.reject(this.#lifecycle.closedError())
  }

  #start(): void {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined
    })
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0 || (this.#abandoned && !this.#lifecycle.isClosed)) {
      const batch = this.#take()
      const texts = batch.map(({ text }) => text)
      if (this.#abandoned) texts.unshift(encodeAbandonment(this.#node))
      const first = this.#number + (this.#unnumbered ? 2 : 1)
      const last = first + texts.length - 1
      this.#number = last
      this.#abandoned = false
      this.#unnumbered = false
      // One try is enough to say that events were given up: those that come meanwhile must not wait for it.
      const deadline = batch[0] === undefined ? 0 : batch[0].since + this.#config.publishTimeoutMs
      const error = await this.#store(first, texts, deadline)
      if (error === undefined) {
        this.#stored = last
        this.#recovered()
        for (const event of batch) event.resolve()
        continue
      }
      this.#giveUp(batch.length)
      for (const event of batch) event.reject(error)
      if (error instanceof ProviderClosedError) return
      if (batch.length === 0) await this.#pause(RETRY_MS.most)
    }
  }

  #giveUp(events: number): void {
    if (this.#givenUp === 0 && events > 0) {
      this.#logger.warn({ events }, 'cluster: events were given up, the other nodes will see a gap')
    }
    this.#givenUp += events
    this.#abandoned = true
  }

  /** Redis took something, and with it the word of what was given up. */
  #recovered(): void {
    if (this.#givenUp === 0 || this.#abandoned) return
    this.#logger.warn(
      { events: this.#givenUp },
      'cluster: the work channel takes events again; the other nodes hear of a gap in place of those in between',
    )
    this.#givenUp = 0
  }

  #expireAfter(ms: number): NodeJS.Timeout {
    return timers.setTimeout(() => this.#expire(), ms).unref()
  }

  /** Ends the wait of those that have not been sent in their time. */
  #expire(): void {
    const { publishTimeoutMs } = this.#config
    const now = timers.monotonicMs()
    const next = this.#waiting.findIndex(({ since }) => since + publishTimeoutMs > now)
    const late = this.#dequeue(next === -1 ? this.#waiting.length : next)
    if (late.length > 0) {
      this.#unnumbered = true
      this.#giveUp(late.length)
      const message = `cluster.publish: Redis took nothing for ${publishTimeoutMs} ms`
      for (const event of late) event.reject(new StoreUnavailableError(message, { applied: 'no' }))
      this.#start()
    }
    const [head] = this.#waiting
    this.#expiry = head && this.#expireAfter(Math.max(1, head.since + publishTimeoutMs - now))
  }

  #dequeue(count: number): Waiting[] {
    const taken = this.#waiting.splice(0, count)
    for (const { text } of taken) this.#characters -= text.length
    return taken
  }

  #take(): Waiting[] {
    let characters = 0
    let count = 0
    for (const { text } of this.#waiting) {
      characters += text.length
      if (count > 0 && (count === BATCH.events || characters > BATCH.characters)) break
      count += 1
    }
    return this.#dequeue(count)
  }

  /** Tries until the deadline. */
  async #store(first: number, texts: readonly string[], deadline: number): Promise<Error | undefined> {
    let applied: 'no' | 'unknown' = 'no'
    for (let retryMs = RETRY_MS.first; ; retryMs = Math.min(RETRY_MS.most, retryMs * 2)) {
      try {
        const announced = this.#announcing.arguments
        const { told } = await this.#redis.run(publish, this.#keys, {
          ...announced,
          incarnation: this.#node.incarnation,
          first,
          batch: texts.length === 1 ? (texts[0] as string) : JSON.stringify(texts),
          keepMs: this.#keepMs,
          maxLength: this.#config.channelLength,
        })
        this.#announcing.note(told, announced.channel !== '')
        return undefined
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) return error as Error
        if (error.applied === 'unknown') applied = 'unknown'
        if (this.#lifecycle.isClosed || timers.monotonicMs() + retryMs > deadline) {
          const { message, cause } = error
          return new StoreUnavailableError(message, { cause, applied })
        }
        await this.#pause(retryMs)
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      timer = timers.setTimeout(resolve, ms * (0.5 + Math.random() / 2)).unref()
    })
    timers.clearTimeout(timer)
  }
}
