import { StoreUnavailableError } from '@authstate/spi'

/** A call of the framework that the store could not answer. */
export interface UnavailableStore {
  readonly error: StoreUnavailableError
  /** What the framework wanted to do with a session: `touch` prolongs it, `end` is a logout. */
  readonly operation: 'load' | 'save' | 'touch' | 'end'
}

/** The error that a framework gets when the store is away. */
export type OnUnavailable = (unavailable: UnavailableStore) => Error | 'ignore' | undefined

/**
 * Answers a framework what the store did, or the error that the application chose for a store that is away.
 *
 * @returns nothing for a touch that is to be ignored
 */
export async function toFramework<T>(
  operation: UnavailableStore['operation'],
  work: Promise<T>,
  onUnavailable: OnUnavailable | undefined,
): Promise<T | undefined> {
  try {
    return await work
  } catch (cause) {
    const error = notAbsent(cause)
    if (onUnavailable === undefined || !(error instanceof StoreUnavailableError)) throw error
    const chosen = onUnavailable({ error, operation })
    if (chosen === 'ignore' && operation === 'touch') return undefined
    // What was not loaded, saved or ended must not look as if it was.
    throw chosen instanceof Error ? notAbsent(chosen) : error
  }
}

/** Frameworks take an `ENOENT` for a missing session: a missing socket of Redis would log all users out. */
function notAbsent(error: unknown): unknown {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return code === 'ENOENT'
    ? new StoreUnavailableError('the sessions cannot be reached', { cause: error, applied: 'unknown' })
    : error
}
