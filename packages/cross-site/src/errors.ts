import { ProviderError } from '@authstate/spi'

/** What became of a change at one other site. `unknown`: it was sent, and there was no answer in time. */
export type BackupOutcome = 'applied' | 'not-applied' | 'unknown' | 'skipped-offline'

/** What became of a change at a site, and after how long. */
export interface BackupResult {
  readonly site: string
  readonly outcome: BackupOutcome
  readonly ms: number
}

/** What a {@link CrossSiteError} says. */
export interface CrossSiteFailure {
  readonly result: unknown
  readonly sites: readonly BackupResult[]
  readonly retry: 'safe' | 'unsafe'
}

/**
 * What a verb changed is done at this site, and another site did not confirm in time that it has it. It is told as soon as it can be:
 * nothing is taken back.
 */
export class CrossSiteError extends ProviderError {
  static override readonly code = 'ERR_CROSS_SITE'
  readonly code = 'ERR_CROSS_SITE'

  /** It is done at this site. */
  readonly applied = 'local'
  /** What the verb would have answered: of `create` the session that is there now. */
  readonly result: unknown
  /** What became of it at each other site that was to confirm it. */
  readonly sites: readonly BackupResult[]
  /** Whether the call may be repeated: `'unsafe'` would do a second thing, such as begin a second session. */
  readonly retry: 'safe' | 'unsafe'

  constructor(message: string, { result, sites, retry }: CrossSiteFailure) {
    super(message)
    this.result = result
    this.sites = sites
    this.retry = retry
  }
}
