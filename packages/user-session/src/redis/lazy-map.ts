/** A map that is made when it is first looked at. */
export class LazyMap<K, V> implements ReadonlyMap<K, V> {
  #make: (() => Map<K, V>) | undefined
  #made: Map<K, V> | undefined

  constructor(make: () => Map<K, V>) {
    this.#make = make
  }

  get size(): number {
    return this.#map.size
  }

  get(key: K): V | undefined {
    return this.#map.get(key)
  }

  has(key: K): boolean {
    return this.#map.has(key)
  }

  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void, thisArg?: unknown): void {
    for (const [key, value] of this.#map) callback.call(thisArg, value, key, this)
  }

  entries(): MapIterator<[K, V]> {
    return this.#map.entries()
  }

  keys(): MapIterator<K> {
    return this.#map.keys()
  }

  values(): MapIterator<V> {
    return this.#map.values()
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.#map.entries()
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Map<K, V> {
    return this.#map
  }

  get #map(): Map<K, V> {
    if (this.#made === undefined) {
      this.#made = this.#make?.() ?? new Map()
      this.#make = undefined
    }
    return this.#made
  }
}
