import type { RegionSettings } from './config.js'
import type { Freshness, RegionParts } from './region-parts.js'
import type { Invalidated } from './rules.js'
import type { SecondLevel } from './second-level.js'

/** Something that is no longer true in a region. */
export interface Declaration {
  readonly region: string
  readonly invalidated: Invalidated | 'all'
  /** The second level of the region has been notified. */
  readonly isShared?: boolean
}

/** What tells the other nodes. */
export interface Transport {
  readonly freshness: Freshness
  /** Resolves when it is certain that the other nodes will get it, or learn that they may have missed something. */
  announce(declarations: readonly Declaration[] | 'everything'): Promise<void>
  readonly queue: RegionParts['queue']
  /**
   * The level that all nodes share, where the store has one.
   *
   * @param inDoubt Something may have been missed before the region was made.
   */
  secondLevel(region: string, settings: RegionSettings, inDoubt: boolean): SecondLevel | undefined
  close(): Promise<void>
}
