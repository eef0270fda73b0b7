import { memoryActionTokens } from '@authstate/action-token'
import { memoryAuthSessions } from '@authstate/auth-session'
import { memoryCluster } from '@authstate/cluster'
import { memoryLoginFailures } from '@authstate/login-failure'
import { memoryRealmCache } from '@authstate/realm-cache'
import type { AnyProviderFactory } from '@authstate/spi'
import { memoryStickySessions } from '@authstate/sticky-session-encoder'
import { memoryUserSessions } from '@authstate/user-session'

/** Every SPI within one process. */
export const memoryFactories = (): AnyProviderFactory[] => [
  memoryUserSessions(),
  memoryAuthSessions(),
  memoryActionTokens(),
  memoryLoginFailures(),
  memoryRealmCache(),
  memoryStickySessions(),
  memoryCluster(),
]
