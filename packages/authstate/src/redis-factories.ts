import { redisActionTokens } from '@authstate/action-token/redis'
import { redisAuthSessions } from '@authstate/auth-session/redis'
import { redisCluster } from '@authstate/cluster/redis'
import { redisLoginFailures } from '@authstate/login-failure/redis'
import { redisRealmCache } from '@authstate/realm-cache/redis'
import { redisConnection } from '@authstate/redis'
import type { AnyProviderFactory } from '@authstate/spi'
import { redisStickySessions } from '@authstate/sticky-session-encoder/redis'
import { redisUserSessions } from '@authstate/user-session/redis'

/** Every SPI over Redis, and the connection they share. Imported only where a configuration may want it. */
export const redisFactories = (): AnyProviderFactory[] => [
  redisConnection(),
  redisUserSessions(),
  redisAuthSessions(),
  redisActionTokens(),
  redisLoginFailures(),
  redisRealmCache(),
  redisStickySessions(),
  redisCluster(),
]
