/** Makes what is stored in the next version of what is stored in one. */
export type Upcaster<T> = (stored: T) => T

/** What {@link RecordVersions} know. */
export interface RecordVersionsOptions<T> {
  /** The version that is written. */
  readonly current: string
  /** The version that a record says it has; `undefined` when it says none. */
  readonly versionOf: (stored: T) => string | undefined
  /** By the version that each reads. */
  readonly upcasters?: Readonly<Record<string, Upcaster<T>>>
}

/**
 * Versions of what a store keeps of one kind of record: the fields of a hash, a text, a row. Every record names the version that wrote
 * it. Where a version is added, this is the place that says how older ones are read. A verb that writes such a record without reading
 * it first, as a script does, brings it up to date before: until then the script does not know it.
 *
 * An unreadable record counts as absent: count it with `UnreadableCounter`, which logs it once.
 */
export class RecordVersions<T> {
  readonly current: string
  /** By the version that each reads; it makes the next of it. */
  readonly upcasters: Map<string, Upcaster<T>>
  readonly #versionOf: (stored: T) => string | undefined

  constructor({ current, versionOf, upcasters = {} }: RecordVersionsOptions<T>) {
    this.current = current
    this.#versionOf = versionOf
    this.upcasters = new Map(Object.entries(upcasters))
  }

  /** Whether a record has the version that is written. */
  isCurrent(stored: T): boolean {
    return this.#versionOf(stored) === this.current
  }

  /** A record in the version that is written; `undefined` if there is no way from its version to that one. */
  upcast(stored: T): T | undefined {
    let record = stored
    // Each upcaster is needed once at most.
    for (let steps = this.upcasters.size; !this.isCurrent(record); steps--) {
      const next = this.upcasters.get(this.#versionOf(record) ?? '')
      if (next === undefined || steps === 0) return undefined
      record = next(record)
    }
    return record
  }
}
