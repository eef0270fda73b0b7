import { ProviderError } from '@authstate/spi'

/** What became of a change at another site. `unknown`: it was sent, and no answer came in time. */
export type BackupOutcome = 'applied' | 'not-applied' | 'unknown' | 'skipped-offline'

/** What became of a change at a site, and after how long. */
export interface BackupResult {
  readonly site: string
  readonly outcome: BackupOutcome
  readonly ms: number
}

/** What a {@link CrossSiteError} contains. */
export interface CrossSiteFailure {
  readonly result: unknown
  readonly sites: readonly BackupResult[]
  readonly retry: 'safe' | 'unsafe'
}

/**
 * A verb made its change at this site, and another site did not confirm it in time. The change stays, and is sent to the other site as
 * soon as possible.
 */
export class CrossSiteError extends ProviderError {
  static override readonly code = 'ERR_CROSS_SITE'
  readonly code = 'ERR_CROSS_SITE'

  /** The change is made at this site. */
  readonly applied = 'local'
  /** What the verb would have returned. For `create`: the session, which exists now. */
  readonly result: unknown
  /** What became of the change at each site that had to confirm it. */
  readonly sites: readonly BackupResult[]
  /** Whether you may repeat the call. `'unsafe'`: a second call would do a second thing, such as begin a second session. */
  readonly retry: 'safe' | 'unsafe'

  constructor(message: string, { result, sites, retry }: CrossSiteFailure) {
    super(message)
    this.result = result
    this.sites = sites
    this.retry = retry
  }
}

/** What a {@link SiteUnavailableError} is made with. */
export interface SiteUnavailableOptions extends ErrorOptions {
  readonly site?: string
  readonly applied: 'no' | 'unknown'
  readonly attempt?: string | undefined
}

/** The site that decides about a key could not be asked, or did not answer in time. */
export class SiteUnavailableError extends ProviderError {
  static override readonly code = 'ERR_SITE_UNAVAILABLE'
  readonly code = 'ERR_SITE_UNAVAILABLE'

  /** The site that decides. */
  readonly site: string
  /** Whether it may have decided. `'unknown'`: it was asked. */
  readonly applied: 'no' | 'unknown'
  /**
   * Repeat `consume` with this `attempt`: if the first call redeemed the token, the second is answered the same. That of the caller, or one
   * that was made where the caller gave none. Absent for other verbs.
   */
  readonly attempt: string | undefined

  constructor(message: string, { site = '', applied, attempt, ...options }: SiteUnavailableOptions) {
    super(message, options)
    this.site = site
    this.applied = applied
    this.attempt = attempt
  }
}
