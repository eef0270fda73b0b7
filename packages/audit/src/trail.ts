import { ConfigurationError, type ProviderContext } from '@authstate/spi'
import { type ChangeGap, type ChangeNote, type ChangeReading, redisConnectionSpi } from 'authstate/redis'
import type { AuditLine } from './contract.js'
import type { Names } from './names.js'
import { NoteReader } from './trail/note-reader.js'

/** What a {@link Trail} is made of. */
export interface TrailParts {
  readonly consumer: string
  /** Whether changes of times are written. */
  readonly touches: boolean
  readonly names: Names
  /** Resolves when lines are kept. */
  readonly write: (lines: readonly AuditLine[], signal: AbortSignal) => Promise<void>
}

/** What tells of changes. */
export interface Trail {
  /** Gaps that were reported. */
  readonly gaps: number
  close(): Promise<void>
}

/**
 * Gives the sink a line for every change that the outbox notes: at least once, and in order per
 * record. One node at a time reads a partition, and its next notes come when these are stored.
 *
 * @throws {ConfigurationError} nothing is on Redis, or no consumer of this name is recorded
 */
export function openTrail(context: ProviderContext, parts: TrailParts): Trail {
  const redis = context.find(redisConnectionSpi)
  if (redis === undefined) {
    throw new ConfigurationError(
      'audit.consumer: nothing here is on Redis, and only Redis notes changes. Remove it: then actions are written, without a trail',
    )
  }
  return new RunningTrail(context, parts, (handlers) => redis.readChanges(parts.consumer, handlers))
}

type Handlers = {
  readonly onNotes: (notes: readonly ChangeNote[], signal: AbortSignal) => Promise<void>
  readonly onGap: (gap: ChangeGap, signal: AbortSignal) => Promise<void>
}

class RunningTrail implements Trail {
  readonly #context: ProviderContext
  readonly #parts: TrailParts
  readonly #notes: NoteReader
  readonly #reading: ChangeReading
  #gaps = 0

  constructor(context: ProviderContext, parts: TrailParts, read: (handlers: Handlers) => ChangeReading) {
    this.#context = context
    this.#parts = parts
    this.#notes = new NoteReader(context, parts.names, parts.touches)
    this.#reading = read({
      onNotes: (notes, signal) => this.#tell(notes, signal),
      onGap: (gap, signal) => this.#tellGap(gap, signal),
    })
  }

  get gaps(): number {
    return this.#gaps
  }

  close(): Promise<void> {
    return this.#reading.close()
  }

  async #tell(notes: readonly ChangeNote[], signal: AbortSignal): Promise<void> {
    const lines = await this.#notes.linesOf(notes)
    if (signal.aborted || lines.length === 0) return
    await this.#parts.write(lines, signal)
  }

  async #tellGap({ partition, reason }: ChangeGap, signal: AbortSignal): Promise<void> {
    const at = this.#context.clock.now()
    const event = reason === 'begun' ? 'trail.begun' : 'trail.gap'
    await this.#parts.write(
      [
        {
          v: 1,
          id: `${partition.toString(16).padStart(2, '0')}-${at}-${reason}`,
          at,
          event,
          records: [],
          ...(reason !== 'begun' && { reason }),
          details: { partition },
          node: this.#context.node.name,
        },
      ],
      signal,
    )
    if (reason !== 'begun') this.#gaps += 1
  }
}
