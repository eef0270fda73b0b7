import { randomUUID } from 'node:crypto'
import { assertOptions, ConfigurationError, type Known, type Logger } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { OpenConnection } from '../connection.js'
import { reasonOf } from '../failure.js'
import { readNotes } from '../scripts.js'
import type { Wanted } from './annotations.js'
import type { ChangeHandlers, ChangeReaderOptions, ChangeReaderStats, ChangeReading } from './contract.js'
import { PartitionOutbox } from './partition-outbox.js'

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

/** How long the end of a reader waits for handlers that run. */
const CLOSE_MS = 5_000

/** Questions that are due within this time are asked at once. */
const TOGETHER_MS = 25

/** For how long `health()` tells of a gap. */
const TELL_GAP_MS = 600_000

/** Reads the outboxes for a consumer, and tells it: one node per partition, under a lease. */
export class ChangeReader implements ChangeReading {
  readonly #parts: ChangeReaderParts
  readonly #options: Required<ChangeReaderOptions>
  readonly #owner = randomUUID()
  readonly #outboxes: readonly PartitionOutbox[]
  /** What Redis was asked and has not answered: one question per outbox, so that a slow server keeps only its own waiting. */
  readonly #asked = new Map<PartitionOutbox, Promise<void>>()
  readonly #failing = new Set<PartitionOutbox>()
  #timer: NodeJS.Timeout | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  /** Whether it was said that the consumer is no longer recorded. */
  #isGone = false
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
    const { leaseMs, pollMs } = this.#options
    const onDone = ({ nextAtMs }: PartitionOutbox) => this.#wakeAt(nextAtMs)
    this.#outboxes = connection.keys.all.map(
      (partition) => new PartitionOutbox({ partition, handlers, leaseMs, pollMs, logger, consumer, onDone }),
    )
    this.#wakeAt(0)
  }

  partitions(): readonly number[] {
    return this.#outboxes.filter(({ isHeld }) => isHeld).map(({ partition }) => partition)
  }

  hurry(partition: number): void {
    const outbox = this.#outboxes.find((one) => one.partition === partition)
    if (outbox === undefined || !outbox.isHeld || outbox.isTelling || this.#asked.has(outbox)) return
    outbox.nextAtMs = 0
    this.#wakeAt(0)
  }

  stats(): ChangeReaderStats {
    const held = this.#outboxes.filter(({ isHeld }) => isHeld)
    const sum = (of: (outbox: PartitionOutbox) => number) =>
      this.#outboxes.reduce((total, outbox) => total + of(outbox), 0)
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
    const gap = this.#outboxes.filter(({ gapAtMs }) => gapAtMs !== undefined && now - gapAtMs < TELL_GAP_MS)
    const full = this.#outboxes.filter(({ isHeld, length }) => isHeld && length > 0.8 * most)
    const name = `the consumer "${this.#parts.consumer}" of changes`
    return [
      ...(gap.length === 0
        ? []
        : [`${name} missed changes: in ${gap.length} partitions notes were removed before it read them`]),
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

  /** Looks then, or sooner where something is due sooner. */
  #wakeAt(atMs: number): void {
    if (this.#closing || atMs >= this.#timerAtMs) return
    timers.clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    this.#timer = timers.setTimeout(
      () => {
        this.#timerAtMs = Number.POSITIVE_INFINITY
        this.#look()
      },
      Math.max(0, atMs - timers.monotonicMs()),
    )
    this.#timer.unref()
  }

  #look(): void {
    const now = timers.monotonicMs()
    const wanted = this.#wanted()
    if (wanted === undefined) {
      this.#wakeAt(now + this.#options.pollMs)
      return
    }
    // What is due a little later goes out with the rest.
    const dueMs = now + Math.min(TOGETHER_MS, this.#options.pollMs / 4)
    for (const outbox of this.#outboxes) {
      outbox.expire(now)
      if (outbox.nextAtMs <= dueMs && !this.#asked.has(outbox)) {
        const asked = this.#ask(outbox, wanted, now).finally(() => {
          this.#asked.delete(outbox)
          this.#wakeAt(outbox.nextAtMs)
        })
        this.#asked.set(outbox, asked)
      }
    }
    const times = this.#outboxes.map((outbox) =>
      this.#asked.has(outbox) ? outbox.leaseUntilMs : Math.min(outbox.leaseUntilMs, outbox.nextAtMs),
    )
    this.#wakeAt(Math.min(...times))
  }

  /** What the consumer asks for; `undefined`: it is no longer recorded, and everything is let go. */
  #wanted(): Wanted | undefined {
    const { connection, consumer, logger } = this.#parts
    const wanted = connection.noting?.wantedBy(consumer)
    if (wanted === undefined && !this.#isGone) {
      for (const outbox of this.#outboxes) outbox.end()
      logger.warn({ consumer }, 'a consumer of changes is no longer recorded; it gets no notes')
    }
    this.#isGone = wanted === undefined
    return wanted
  }

  async #ask(outbox: PartitionOutbox, wanted: Wanted, askedAtMs: number): Promise<void> {
    const { connection, consumer, logger } = this.#parts
    const { keys, args } = this.#call(outbox)
    try {
      const reply = await connection.run(readNotes, keys, args)
      this.#failing.delete(outbox)
      // Whoever drops a consumer takes away how far it had come. Nothing is lost then.
      if (reply.state === 'lost') await connection.lookAfresh()
      if (this.#wanted() === undefined) return
      const limit = this.#closing ? 0 : args.limit
      outbox.take(reply, { limit, askedAtMs, wanted }, timers.monotonicMs())
    } catch (error) {
      outbox.fail(timers.monotonicMs())
      if (this.#failing.size === 0 && !this.#closing) {
        logger.warn(
          { reason: reasonOf(error), consumer },
          'the notes of changes cannot be read; trying again',
        )
      }
      this.#failing.add(outbox)
    }
  }

  #call(outbox: PartitionOutbox, leaseMs = this.#options.leaseMs) {
    const { connection, consumer } = this.#parts
    const { keys, noting } = connection
    return {
      keys: {
        notes: keys.key(outbox.partition, 'xn'),
        had: keys.key(outbox.partition, 'xh'),
        lease: keys.key(outbox.partition, 'xl', consumer),
      },
      args: {
        consumer,
        owner: this.#owner,
        leaseMs,
        had: outbox.had,
        limit: outbox.isTelling || leaseMs === 0 ? 0 : this.#options.batch,
        consumers: [...(noting?.consumers.keys() ?? [consumer])].join(' '),
      },
    }
  }

  async #close(): Promise<void> {
    timers.clearTimeout(this.#timer)
    const { connection } = this.#parts
    await Promise.all(this.#asked.values())
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = timers.setTimeout(resolve, CLOSE_MS)
    })
    await Promise.race([Promise.all(this.#outboxes.map((outbox) => outbox.told)), late])
    timers.clearTimeout(timer)
    // What is kept for a consumer that is gone must not come back.
    this.#wanted()
    await Promise.allSettled(
      this.#outboxes
        .filter((outbox) => outbox.isHeld && !outbox.isTelling)
        .map((outbox) => this.#call(outbox, 0))
        .map(({ keys, args }) => connection.runAnyway(readNotes, keys, args, true)),
    )
    for (const outbox of this.#outboxes) outbox.end()
    connection.forgetReader(this)
  }
}

function defined(options: ChangeReaderOptions): Partial<ChangeReaderOptions> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
