import type { Spi } from '@authstate/spi'
import { actionTokenSpi, loginFailureSpi, userSessionSpi, webSessionSpi } from 'authstate'
import { redisConnectionSpi } from 'authstate/redis'

/** What the trail reads, where somebody provides it. */
export const USES: readonly Spi[] = [
  redisConnectionSpi,
  userSessionSpi,
  webSessionSpi,
  actionTokenSpi,
  loginFailureSpi,
]

/** Properties that are masked wherever a configuration is shown. */
export const SECRETS: readonly string[] = ['keyring']
