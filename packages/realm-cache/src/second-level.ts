import type { SecondLevelStats } from './contract.js'
import type { Invalidated } from './rules.js'

/** A value as all nodes share it. */
export interface SharedValue {
  /** Plain data; `undefined`: the source has nothing. */
  readonly value: unknown
  readonly tags: readonly string[]
  /** End of the value; `Infinity`: none. */
  readonly expiresAt: number
}

/** What there was for a key. */
export interface Lookup {
  /** With it the caller that asks the source may store the value here, unless it was invalidated meanwhile. */
  readonly ticket: string
  readonly found: SharedValue | undefined
}

/** The level between a region and its source that all nodes share. If it fails, reads still succeed. */
export interface SecondLevel {
  /**
   * A value that is true, or a ticket; `undefined` when it cannot be asked, or not be trusted.
   *
   * @param anew A value is wanted from the source, even if one is here.
   */
  lookUp(key: string, anew: boolean): Promise<Lookup | undefined>
  /** Puts what the source said. Resolves when that is done or has failed. */
  offer(key: string, ticket: string, value: SharedValue): Promise<void>
  /** @throws {StoreUnavailableError} it may not have been written; it is in doubt */
  declare(invalidated: Invalidated | 'all'): Promise<void>
  /** Something may have been missed: it is not used until everything in it has been declared untrue. */
  doubt(): void
  stats(): SecondLevelStats
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>
}
