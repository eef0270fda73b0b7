import type { Logger } from './logger.js'

/** What a provider has met since it was opened. */
export interface UnreadableStats {
  /** Reads that found what another version stored, or what could not be decoded: absent for the caller. */
  readonly unreadable: number
}

/**
 * Counts what is stored and cannot be read, because another version of this library wrote it, or somebody else did. It counts
 * as absent. The log says so once, and names no record.
 */
export class UnreadableCounter {
  readonly #logger: Logger
  readonly #spi: string
  readonly #what: string
  #total = 0

  /** @param what Such a record, with its article: `'a stored session'`. */
  constructor(logger: Logger, spi: string, what: string) {
    this.#logger = logger
    this.#spi = spi
    this.#what = what
  }

  get total(): number {
    return this.#total
  }

  /** One more. Answers what the reader of the record answers. */
  count(): undefined {
    this.#total += 1
    if (this.#total > 1) return
    this.#logger.warn(
      { spi: this.#spi },
      `${this.#what} cannot be read and counts as absent; later ones are counted only`,
    )
  }
}
