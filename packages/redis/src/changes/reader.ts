import { randomUUID } from 'node:crypto'
import { assertOptions, ConfigurationError, type Known, type Logger, timers } from '@authstate/spi'
import type { OpenConnection } from '../connection.js'
import { reasonOf } from '../failure.js'
import { readNotes } from '../scripts.js'
import type { ChangeHandlers, ChangeReaderOptions, ChangeReaderStats, ChangeReading } from './contract.js'
import { OutboxPlace } from './outbox-place.js'

/** What a {@link ChangeReader} is made of. */
export interface ChangeReaderParts {
  readonly connection: OpenConnection
  readonly logger: Logger
  readonly consumer: string
  readonly handlers: ChangeHandlers
  readonly options: ChangeReaderOptions
}

const HANDLERS: Known<ChangeHandlers> = { onNotes: true, onGap: true }
const OPTIONS: Known<ChangeReaderOptions> = { pollMs: true, leaseMs: true, batch: true }
const DEFAULTS = { pollMs: 100, leaseMs: 10_000, batch: 256 }

/** Longest pause after failures. */
const MOST_PAUSE_MS = 5_000

/** How long the end of a reader waits for handlers that run. */
const CLOSE_MS = 5_000

/** For how long `health()` tells of a gap. */
const TELL_GAP_MS = 600_000

/** Reads the outboxes for a consumer, and tells it: one node per partition, under a lease. */
export class ChangeReader implements ChangeReading {
  readonly #parts: ChangeReaderParts
  readonly #options: Required<ChangeReaderOptions>
  readonly #owner = randomUUID()
  readonly #places: readonly OutboxPlace[]
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #failed = 0
  #closing: Promise<void> | undefined

  constructor(parts: ChangeReaderParts) {
    const { connection, consumer, handlers, options, logger } = parts
    assertOptions(handlers, 'handlers', HANDLERS)
    assertOptions(options, 'options', OPTIONS)
    if (typeof handlers.onNotes !== 'function') throw new TypeError('"handlers.onNotes" must be a function')
    if (handlers.onGap !== undefined && typeof handlers.onGap !== 'function')
      throw new TypeError('"handlers.onGap" must be a function')
    this.#options = { ...DEFAULTS, ...defined(options) }
    for (const [name, value] of Object.entries(this.#options)) {
      if (!Number.isSafeInteger(value) || value < 1)
        throw new RangeError(`"options.${name}" must be a whole number from 1`)
    }
    const recorded = connection.noting?.consumers ?? new Map<string, string>()
    if (!recorded.has(consumer)) {
      throw new ConfigurationError(
        `redis.changes: no consumer "${String(consumer)}" is recorded: name it in redis.changes.consumers`,
      )
    }
    this.#parts = parts
    const { leaseMs } = this.#options
    this.#places = connection.keys.all.map(
      (partition) =>
        new OutboxPlace({ partition, handlers, leaseMs, logger, consumer, onDone: () => this.#soon(0) }),
    )
    this.#soon(0)
  }

  stats(): ChangeReaderStats {
    const held = this.#places.filter(({ isHeld }) => isHeld)
    const sum = (of: (place: OutboxPlace) => number) =>
      this.#places.reduce((total, place) => total + of(place), 0)
    return {
      consumer: this.#parts.consumer,
      partitions: held.length,
      notes: sum(({ notes }) => notes),
      gaps: sum(({ gaps }) => gaps),
      failures: sum(({ failures }) => failures),
      waiting: held.reduce((total, { length }) => total + length, 0),
    }
  }

  /** What an operator should know. */
  warnings(): readonly string[] {
    const now = timers.monotonicMs()
    const most = this.#parts.connection.noting?.maxNotes ?? Number.POSITIVE_INFINITY
    const gap = this.#places.filter(({ gapAtMs }) => gapAtMs !== undefined && now - gapAtMs < TELL_GAP_MS)
    const full = this.#places.filter(({ isHeld, length }) => isHeld && length > 0.8 * most)
    const name = `the consumer "${this.#parts.consumer}" of changes`
    return [
      ...(gap.length === 0
        ? []
        : [`${name} was not told of all: in ${gap.length} partitions notes went before it came for them`]),
      ...(full.length === 0
        ? []
        : [
            `${name}, or a slower one, is far behind: ${full.length} partitions hold nearly the ${most} notes of redis.changes.maxNotes`,
          ]),
    ]
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #soon(ms: number): void {
    if (this.#closing || this.#looking) return
    timers.clearTimeout(this.#timer)
    this.#timer = timers.setTimeout(() => {
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined
        this.#soon(this.#pauseMs())
      })
    }, ms)
    this.#timer.unref()
  }

  #pauseMs(): number {
    const { pollMs } = this.#options
    if (this.#failed > 0) return Math.min(MOST_PAUSE_MS, pollMs * 2 ** Math.min(this.#failed, 16))
    return this.#places.some((place) => place.hasMore) ? 0 : pollMs
  }

  async #look(): Promise<void> {
    const { connection, logger } = this.#parts
    const due = this.#places.filter((place) => place.isDue(timers.monotonicMs()))
    if (due.length === 0) return
    const calls = due.map((place) => this.#call(place))
    const replies = await Promise.allSettled(
      calls.map(({ keys, args }) => connection.run(readNotes, keys, args)),
    )
    let failure: unknown
    for (const [index, reply] of replies.entries()) {
      const place = due[index] as OutboxPlace
      if (reply.status === 'fulfilled') place.take(reply.value, timers.monotonicMs())
      else {
        place.fail()
        failure ??= reply.reason
      }
    }
    if (failure !== undefined && this.#failed === 0 && !this.#closing) {
      logger.warn(
        { reason: reasonOf(failure), consumer: this.#parts.consumer },
        'the notes of changes cannot be read; trying again',
      )
    }
    this.#failed = failure === undefined ? 0 : this.#failed + 1
  }

  #call(place: OutboxPlace, leaseMs = this.#options.leaseMs) {
    const { connection, consumer } = this.#parts
    const { keys, noting } = connection
    return {
      keys: {
        notes: keys.key(place.partition, 'xn'),
        had: keys.key(place.partition, 'xh'),
        lease: keys.key(place.partition, 'xl', consumer),
      },
      args: {
        consumer,
        owner: this.#owner,
        leaseMs,
        had: place.had,
        limit: place.isTelling || leaseMs === 0 ? 0 : this.#options.batch,
        consumers: [...(noting?.consumers.keys() ?? [consumer])].join(' '),
      },
    }
  }

  async #close(): Promise<void> {
    timers.clearTimeout(this.#timer)
    const { connection } = this.#parts
    await this.#looking?.catch(() => {})
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = timers.setTimeout(resolve, CLOSE_MS)
    })
    await Promise.race([Promise.all(this.#places.map((place) => place.told)), late])
    timers.clearTimeout(timer)
    await Promise.allSettled(
      this.#places
        .filter((place) => place.isHeld && !place.isTelling)
        .map((place) => this.#call(place, 0))
        .map(({ keys, args }) => connection.runLast(readNotes, keys, args)),
    )
    for (const place of this.#places) place.end()
    connection.forgetReader(this)
  }
}

function defined(options: ChangeReaderOptions): Partial<ChangeReaderOptions> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
