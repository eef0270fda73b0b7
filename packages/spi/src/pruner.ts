/**
 * Removes ended records from a map, a few at a time, for providers that keep their records in
 * memory. Each write looks at more entries than it adds. So the map stays about as large as its
 * living records, and no write takes long.
 *
 * It continues where it stopped, even if the map has changed. Starting again each time would not be
 * cheap: an iterator steps over every empty place that a deletion has left at the front.
 */
export class Pruner<K, V> {
  readonly #map: Map<K, V>
  #rest: IterableIterator<[K, V]> | undefined

  constructor(map: Map<K, V>) {
    this.#map = map
  }

  /** Looks at the next entries, and from the end of the map at the first ones. */
  prune(isDead: (value: V) => boolean, looksAt = 4): void {
    this.#rest ??= this.#map.entries()
    for (let looked = 0; looked < looksAt; looked++) {
      const { done, value } = this.#rest.next()
      if (done) {
        this.#rest = undefined
        return
      }
      if (isDead(value[1])) this.#map.delete(value[0])
    }
  }
}
