import type { Logger } from '@authstate/spi'
import { timers } from '@authstate/spi/internal'
import type { readNotes } from '../scripts.js'
import type { Wanted } from './annotations.js'
import type { ChangeGap, ChangeHandlers, ChangeNote } from './contract.js'
import { readNote } from './notes.js'

/** What a {@link PartitionOutbox} is made of. */
export interface PartitionOutboxParts {
  readonly partition: number
  readonly handlers: ChangeHandlers
  readonly leaseMs: number
  readonly pollMs: number
  readonly logger: Logger
  readonly consumer: string
  /** Called when handlers are done. */
  readonly onDone: (outbox: PartitionOutbox) => void
}

/** What was asked, and what for. */
export interface OutboxQuestion {
  /** Most notes to be answered; 0: none, it only holds the lease. */
  readonly limit: number
  /** When it was asked. */
  readonly askedAtMs: number
  readonly wanted: Wanted
}

type Reply = ReturnType<(typeof readNotes)['decode']>

const GAPS: Readonly<Record<string, ChangeGap['reason']>> = { begun: 'begun', gap: 'missed', lost: 'lost' }

/** Shortest and longest pause after failures. */
const LEAST_PAUSE_MS = 100
const MOST_PAUSE_MS = 5_000

/** How far a consumer has come in the outbox of one partition, as far as this node knows. */
export class PartitionOutbox {
  readonly partition: number
  readonly #parts: PartitionOutboxParts
  /** Id of the last note that the consumer has had, as far as this node knows; `''`: it does not. */
  #had = ''
  isHeld = false
  notes = 0
  gaps = 0
  failures = 0
  length = 0
  /** When a gap was met last. */
  gapAtMs: number | undefined
  /** When to ask Redis: for notes, or for the lease alone while handlers run. */
  nextAtMs = 0
  /** Until the handlers that run are done. */
  told: Promise<void> | undefined
  /** Whether the consumer has begun here, as far as this node saw. */
  #hasBegun = false
  /** The gap that was met, until what follows it was delivered. */
  #gap: { readonly mark: string; isHeard: boolean } | undefined
  #leaseUntilMs = 0
  /** Calls that failed since one was answered. */
  #failed = 0
  #pauseMs = 0
  #abort = new AbortController()

  constructor(parts: PartitionOutboxParts) {
    this.#parts = parts
    this.partition = parts.partition
  }

  get isTelling(): boolean {
    return this.told !== undefined
  }

  /**
   * What is written to Redis of how far the consumer has come: if it is missing there, what follows is not a
   * beginning.
   */
  get had(): string {
    return this.#had === '' && this.#hasBegun ? '0-0' : this.#had
  }

  /** Until when no other node may tell for certain; infinite where this one may not either. */
  get leaseUntilMs(): number {
    return this.isHeld ? this.#leaseUntilMs : Number.POSITIVE_INFINITY
  }

  /** Loses the partition where Redis may have let another node begin. */
  expire(nowMs: number): void {
    if (nowMs >= this.leaseUntilMs) this.#lose()
  }

  /** Redis did not answer: whether the lease was renewed is not known. */
  fail(nowMs: number): void {
    const { pollMs, leaseMs } = this.#parts
    this.#failed += 1
    this.nextAtMs = nowMs + Math.min(MOST_PAUSE_MS, leaseMs / 3, pollMs * 2 ** Math.min(this.#failed, 16))
    this.expire(nowMs)
  }

  /** What Redis answered. */
  take(reply: Reply, { limit, askedAtMs, wanted }: OutboxQuestion, nowMs: number): void {
    const { leaseMs, pollMs } = this.#parts
    this.#failed = 0
    if (reply.state === 'busy') {
      this.#lose()
      this.#had = ''
      this.#hasBegun ||= reply.hasBegun
      this.nextAtMs = nowMs + leaseMs / 3
      return
    }
    this.isHeld = true
    // A question for notes leaves the lease as it is while two thirds are left.
    this.#leaseUntilMs = askedAtMs + (limit === 0 ? leaseMs : (leaseMs / 3) * 2)
    this.length = reply.length
    this.#hasBegun ||= reply.hasBegun
    if (limit === 0) {
      if (this.isTelling) this.nextAtMs = nowMs + leaseMs / 3
      return
    }
    this.expire(nowMs)
    if (!this.isHeld) {
      this.nextAtMs = nowMs
      return
    }
    // Who comes less often loses the partition in between.
    this.nextAtMs = nowMs + Math.min(pollMs, leaseMs / 3)
    const gap = this.#gapOf(reply)
    if (gap === undefined && reply.notes.length === 0) {
      this.#had = reply.last
      return
    }
    const notes = reply.notes.flatMap((stored) => readNote(stored, this.partition, wanted) ?? [])
    if (gap === undefined && notes.length === 0) {
      this.#goBehind(reply.last)
      return
    }
    this.nextAtMs = askedAtMs + leaseMs / 3
    this.told = this.#tell(gap && { ...gap, mark: markOf(gap, reply) }, notes, reply.last)
  }

  /** Nothing is delivered any more. */
  end(): void {
    this.#lose()
    this.#had = ''
    this.#hasBegun = false
  }

  #lose(): void {
    if (this.isHeld) {
      this.#abort.abort()
      this.#abort = new AbortController()
    }
    this.isHeld = false
    this.#gap = undefined
  }

  #goBehind(last: string): void {
    this.#had = last
    this.nextAtMs = 0
    this.#gap = undefined
  }

  #gapOf({ state }: Reply): ChangeGap | undefined {
    const reason = GAPS[state]
    return reason && { partition: this.partition, reason }
  }

  async #tell(
    gap: (ChangeGap & { readonly mark: string }) | undefined,
    notes: readonly ChangeNote[],
    last: string,
  ): Promise<void> {
    const { handlers, logger, consumer, onDone } = this.#parts
    const { signal } = this.#abort
    try {
      if (gap !== undefined) await this.#tellGap(gap, signal)
      if (notes.length > 0 && !signal.aborted) await handlers.onNotes(notes, signal)
      this.#pauseMs = 0
      if (!signal.aborted) {
        this.notes += notes.length
        this.#hasBegun = true
        this.#goBehind(last)
      }
    } catch (error) {
      // Who stops because it was told to has not failed.
      if (!signal.aborted) {
        this.failures += 1
        if (this.#pauseMs === 0) {
          const reason = error instanceof Error ? error.name : typeof error
          logger.error({ consumer, reason }, 'a consumer of changes failed; it gets the same notes again')
        }
        this.#pauseMs = Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, this.#pauseMs * 2))
        const now = timers.monotonicMs()
        // The lease is asked for again while it still holds: who loses it forgets which gap was heard.
        const latest = this.#leaseUntilMs - this.#parts.leaseMs / 3
        this.nextAtMs = Math.max(now + LEAST_PAUSE_MS, Math.min(now + this.#pauseMs, latest))
      }
    }
    this.told = undefined
    onDone(this)
  }

  /** Tells a gap unless the consumer has heard of this one and only failed at what follows. */
  async #tellGap(
    { mark, partition, reason }: ChangeGap & { readonly mark: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { handlers, logger, consumer } = this.#parts
    if (this.#gap?.mark !== mark) {
      this.#gap = { mark, isHeard: false }
      if (reason !== 'begun') {
        this.gaps += 1
        this.gapAtMs = timers.monotonicMs()
        logger.error({ consumer, partition, reason }, 'a consumer of changes missed notes')
      }
    }
    const met = this.#gap
    if (met.isHeard) return
    await handlers.onGap?.({ partition, reason }, signal)
    met.isHeard = true
  }
}

/** The same for the same gap: notes that are lost behind a reported gap are another gap. */
const markOf = ({ reason }: ChangeGap, { notes: [first] }: Reply): string =>
  reason === 'missed' ? `${reason} ${first?.[0]}` : reason
