import { type Logger, timers } from '@authstate/spi'
import type { readNotes } from '../scripts.js'
import type { ChangeGap, ChangeHandlers, ChangeNote } from './contract.js'
import { readNote } from './notes.js'

/** What an {@link OutboxPlace} is made of. */
export interface OutboxPlaceParts {
  readonly partition: number
  readonly handlers: ChangeHandlers
  readonly leaseMs: number
  readonly logger: Logger
  readonly consumer: string
  /** Called when handlers are done. */
  readonly onDone: () => void
}

type Reply = ReturnType<(typeof readNotes)['decode']>

/** How far a consumer has come in the outbox of one partition, as far as this node knows. */
export class OutboxPlace {
  readonly partition: number
  readonly #parts: OutboxPlaceParts
  /** Id of the last note that the consumer has had and Redis does not know of; `''`: none. */
  had = ''
  isHeld = false
  /** Whether there may be more to tell at once. */
  hasMore = false
  notes = 0
  gaps = 0
  failures = 0
  length = 0
  /** When a gap was met last. */
  gapAtMs: number | undefined
  /** Until the handlers that run are done. */
  told: Promise<void> | undefined
  #heldBefore = false
  #nextAtMs = 0
  #pauseMs = 0
  #abort = new AbortController()

  constructor(parts: OutboxPlaceParts) {
    this.#parts = parts
    this.partition = parts.partition
  }

  get isTelling(): boolean {
    return this.told !== undefined
  }

  /** Whether to ask Redis: for notes, or for the lease alone while handlers run. */
  isDue(nowMs: number): boolean {
    return nowMs >= this.#nextAtMs
  }

  /** Redis did not answer: whether the lease stands is not known. */
  fail(): void {
    this.hasMore = false
  }

  /** What Redis answered. */
  take(reply: Reply, nowMs: number): void {
    const { leaseMs } = this.#parts
    this.hasMore = false
    if (reply.state === 'busy') {
      this.#lose()
      this.#nextAtMs = nowMs + leaseMs / 3
      return
    }
    this.isHeld = true
    this.length = reply.length
    if (this.isTelling) {
      this.#nextAtMs = nowMs + leaseMs / 3
      return
    }
    this.had = ''
    this.#nextAtMs = 0
    const gap = this.#gapOf(reply)
    if (gap === undefined && reply.notes.length === 0) return
    const notes = reply.notes.flatMap((stored) => readNote(stored, this.partition) ?? [])
    this.#nextAtMs = nowMs + leaseMs / 3
    const tell = this.#tell(gap, notes, reply.last)
    this.told = tell
  }

  /** Nothing is told any more. */
  end(): void {
    this.#lose()
  }

  #lose(): void {
    if (this.isHeld) {
      this.#abort.abort()
      this.#abort = new AbortController()
    }
    this.isHeld = false
    this.had = ''
    this.#heldBefore = false
  }

  #gapOf({ state }: Reply): ChangeGap | undefined {
    const { partition } = this
    if (state === 'gap') return { partition, reason: 'missed' }
    if (state === 'begun') return { partition, reason: this.#heldBefore ? 'lost' : 'begun' }
    this.#heldBefore = true
    return undefined
  }

  async #tell(gap: ChangeGap | undefined, notes: readonly ChangeNote[], last: string): Promise<void> {
    const { handlers, logger, consumer } = this.#parts
    const { signal } = this.#abort
    if (gap !== undefined && gap.reason !== 'begun') {
      this.gaps += 1
      this.gapAtMs = timers.monotonicMs()
      logger.error(
        { consumer, partition: gap.partition, reason: gap.reason },
        'a consumer of changes was not told of some',
      )
    }
    try {
      if (gap !== undefined) await handlers.onGap?.(gap, signal)
      if (notes.length > 0) await handlers.onNotes(notes, signal)
    } catch (error) {
      this.failures += 1
      if (this.#pauseMs === 0) {
        const reason = error instanceof Error ? error.name : typeof error
        logger.error({ consumer, reason }, 'a consumer of changes failed; it is told again')
      }
      this.#pauseMs = Math.min(5_000, Math.max(100, this.#pauseMs * 2))
      this.#nextAtMs = timers.monotonicMs() + this.#pauseMs
      this.told = undefined
      this.#parts.onDone()
      return
    }
    this.#pauseMs = 0
    this.told = undefined
    if (signal.aborted) return
    this.notes += notes.length
    this.had = last
    this.hasMore = true
    this.#heldBefore = true
    this.#nextAtMs = 0
    this.#parts.onDone()
  }
}
