/** Entries up to which one map is enough: it moves them all in a millisecond or two. */
const NARROW = 16_384

const PARTS = 256

/**
 * A map by name in which nothing ever moves all entries at once. A `Map` does so whenever it has
 * doubled, and when half of its entries were removed: at a million entries that holds the event
 * loop for a fifth of a second. Beyond some entries this is many maps.
 */
export class WideMap<V> {
  readonly #first = new Map<string, V>()
  #parts: readonly Map<string, V>[] | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get(name: string): V | undefined {
    const value = this.#parts && partOf(this.#parts, name).get(name)
    return value === undefined ? this.#first.get(name) : value
  }

  /** @param value Not `undefined`. */
  set(name: string, value: V): void {
    if (this.#size >= NARROW) this.#parts ??= Array.from({ length: PARTS }, () => new Map())
    const map = this.#parts === undefined || this.#first.has(name) ? this.#first : partOf(this.#parts, name)
    const before = map.size
    map.set(name, value)
    this.#size += map.size - before
  }

  delete(name: string): void {
    const isGone =
      this.#first.delete(name) || (this.#parts !== undefined && partOf(this.#parts, name).delete(name))
    if (!isGone) return
    this.#size -= 1
    if (this.#size === 0) this.#parts = undefined
  }

  *keys(): Generator<string> {
    yield* this.#first.keys()
    for (const part of this.#parts ?? []) yield* part.keys()
  }
}

function partOf<V>(parts: readonly Map<string, V>[], name: string): Map<string, V> {
  let hash = 0
  for (let at = 0; at < name.length; at++) hash = (Math.imul(hash, 31) + name.charCodeAt(at)) | 0
  return parts[(hash ^ (hash >>> 15)) & (PARTS - 1)] as Map<string, V>
}
