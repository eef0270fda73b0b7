import { redisActionTokens } from '@authstate/action-token/redis'
import { redisAuthSessions } from '@authstate/auth-session/redis'
import { redisConnection } from '@authstate/redis'
import type { AnyProviderFactory } from '@authstate/spi'

/** Every SPI over Redis, and the connection they share. Imported only where a configuration may want it. */
export const redisFactories = (): AnyProviderFactory[] => [
  redisConnection(),
  redisAuthSessions(),
  redisActionTokens(),
]
