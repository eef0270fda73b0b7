/** Names of keys and tags whose values are no longer true. */
export interface Invalidated {
  readonly keys: readonly string[]
  readonly tags: readonly string[]
}

/** Revisions that decide whether a loaded value may be kept. */
export interface StoreDecision {
  /** Revision of the key now; `undefined` when it is not known any more. */
  readonly revision: number | undefined
  /** Revision of the key when the value was read. */
  readonly loaded: number
  /** Revision of the region when the unit of work, or the call, began. */
  readonly started: number
}

/**
 * Whether a value that was read at one revision may be kept now: only if nothing was declared untrue since the read,
 * nor since the reader's transaction began, whose snapshot may be older than the read.
 *
 * @see Keycloak behaviour, revisioned caches: the rules of `add`
 */
export function mayStore({ revision, loaded, started }: StoreDecision): boolean {
  return revision !== undefined && revision <= started && revision <= loaded
}

/** The end of a life that begins now: `Infinity` for none. A part of it is cut off at random, up to `jitter`. */
export function expiryOf(lifeMs: number, jitter: number, now: number, random: number): number {
  return lifeMs > 0 ? now + Math.max(1, Math.round(lifeMs * (1 - jitter * random))) : Number.POSITIVE_INFINITY
}
