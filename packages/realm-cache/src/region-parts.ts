import type { Clock } from '@authstate/spi'
import type { RegionSettings } from './config.js'
import type { Invalidated } from './rules.js'
import type { SecondLevel } from './second-level.js'

/** Whether what is kept may be given out, and how often and how long it might not. */
export interface Freshness {
  /** `true` while there is no need to check. */
  readonly isSure: boolean
  /** Finds out. */
  check(): boolean
  readonly outages: number
  readonly outageMs: number
}

/** What a region needs from the cache it belongs to. */
export interface RegionParts {
  readonly name: string
  readonly settings: RegionSettings
  readonly clock: Clock
  readonly freshness: Freshness
  /** Makes something untrue here and on the other nodes. */
  readonly declare: (region: string, invalidated: Invalidated | 'all') => Promise<void>
  /** Waits while another node loads the same key, where that is wanted. */
  readonly queue: ((region: string, key: string, load: () => Promise<void>) => Promise<void>) | undefined
  /** What all nodes share between this region and its source. */
  readonly secondLevel: SecondLevel | undefined
}
