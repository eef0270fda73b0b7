const HIDDEN: PropertyDescriptor & ThisType<ReadonlyMap<string, unknown>> = {
  value() {
    return Object.fromEntries(this)
  },
}

/**
 * A map of records by name that `JSON.stringify` writes as an object, where it would write another map as `{}`. Whatever a
 * name is, it becomes a property of its own. For code it is a map as any other, also to compare.
 */
export function jsonMap<T>(entries?: Iterable<readonly [string, T]>): Map<string, T> {
  return Object.defineProperty(new Map(entries), 'toJSON', HIDDEN)
}
