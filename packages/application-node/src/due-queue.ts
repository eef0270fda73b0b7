interface Entry<T> {
  readonly item: T
  readonly at: number
  /** Of entries of one instant the first that came goes first. */
  readonly order: number
}

/**
 * Things that are due at an instant each, the first one at hand: a binary heap.
 *
 * An entry that was put elsewhere, or taken out, stays in the heap until it comes to the top. So a change costs the height of the heap.
 */
export class DueQueue<T> {
  readonly #current = new Map<T, Entry<T>>()
  #heap: Entry<T>[] = []
  #orders = 0

  get size(): number {
    return this.#current.size
  }

  /** Puts a thing at an instant, wherever it was before. */
  set(item: T, at: number): void {
    const entry = { item, at, order: this.#orders++ }
    this.#current.set(item, entry)
    this.#heap.push(entry)
    this.#rise(this.#heap.length - 1)
    // More entries that are over than entries that count: once per so many changes.
    if (this.#heap.length > 2 * this.#current.size + 64) this.#rebuild()
  }

  /** @returns whether it was there */
  delete(item: T): boolean {
    return this.#current.delete(item)
  }

  /** What is due first, and when. */
  first(): { readonly item: T; readonly at: number } | undefined {
    for (;;) {
      const top = this.#heap[0]
      if (top === undefined || this.#current.get(top.item) === top) return top
      this.#dropTop()
    }
  }

  clear(): void {
    this.#current.clear()
    this.#heap = []
  }

  #dropTop(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink(0)
  }

  #rebuild(): void {
    this.#heap = [...this.#current.values()]
    for (let index = (this.#heap.length >> 1) - 1; index >= 0; index--) this.#sink(index)
  }

  #rise(from: number): void {
    const heap = this.#heap
    const entry = heap[from] as Entry<T>
    let index = from
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above] as Entry<T>
      if (!isBefore(entry, parent)) break
      heap[index] = parent
      index = above
    }
    heap[index] = entry
  }

  #sink(from: number): void {
    const heap = this.#heap
    const entry = heap[from] as Entry<T>
    let index = from
    for (;;) {
      let below = 2 * index + 1
      if (below >= heap.length) break
      const other = heap[below + 1]
      if (other !== undefined && isBefore(other, heap[below] as Entry<T>)) below += 1
      const child = heap[below] as Entry<T>
      if (!isBefore(child, entry)) break
      heap[index] = child
      index = below
    }
    heap[index] = entry
  }
}

/** Each comparison of two instants is one `<`, as the test of this file counts. */
function isBefore(a: Entry<unknown>, b: Entry<unknown>): boolean {
  if (a.at < b.at) return true
  return !(b.at < a.at) && a.order < b.order
}
