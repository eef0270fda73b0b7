import { timers } from '@authstate/spi/internal'

/** How long a change waits for further ones, so that they are sent together. */
const GATHER_MS = 2

/** Gathers the partitions in which something changed. */
export class Gathering {
  readonly #onChanged: (partition: number) => void
  readonly #partitions = new Set<number>()
  #timer: NodeJS.Timeout | undefined

  /** @param onChanged Called a little later, once for each partition. */
  constructor(onChanged: (partition: number) => void) {
    this.#onChanged = onChanged
  }

  add(partition: number): void {
    this.#partitions.add(partition)
    this.#timer ??= timers
      .setTimeout(() => {
        this.#timer = undefined
        for (const changed of this.#partitions) this.#onChanged(changed)
        this.#partitions.clear()
      }, GATHER_MS)
      .unref()
  }

  close(): void {
    timers.clearTimeout(this.#timer)
  }
}
