/**
 * Takes what is dead out of a map, a few entries at a time, for providers that keep their records in memory: each write
 * looks at more entries than it adds, so that the map stays as large as what lives, and no write is a long one.
 *
 * Goes on where it stopped, also when the map has changed meanwhile. To begin anew each time would not be cheap: an
 * iterator steps over every place at the front that a deletion has left.
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
