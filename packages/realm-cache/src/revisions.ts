import { LRUCache } from 'lru-cache'

/**
 * When each name (a key, a tag) was last declared untrue, on one counter per region.
 *
 * Names that were never declared untrue take no room. Of the others the oldest are forgotten once there are too many;
 * from then on every name that is not known counts as declared untrue as late as they were, so that forgetting can
 * make a value be loaded once more and never kept wrongly.
 */
export class Revisions {
  readonly #revisions: LRUCache<string, number>
  #counter = 0
  #floor = 0

  /** @param max Most names remembered. */
  constructor(max: number) {
    this.#revisions = new LRUCache({
      max,
      dispose: (revision, _, reason) => {
        if (reason === 'evict' && revision > this.#floor) this.#floor = revision
      },
    })
  }

  /** Grows with every declaration. */
  get current(): number {
    return this.#counter
  }

  of(name: string): number {
    return this.#revisions.peek(name) ?? this.#floor
  }

  raise(name: string): void {
    this.#counter += 1
    this.#revisions.set(name, this.#counter)
  }

  /** Declares everything untrue. */
  raiseAll(): void {
    this.#counter += 1
    this.#floor = this.#counter
    this.#revisions.clear()
  }
}
