import { actionTokenService } from '@authstate/action-token/service'
import { authSessionService } from '@authstate/auth-session/service'
import { clusterService } from '@authstate/cluster/service'
import { loginFailureService } from '@authstate/login-failure/service'
import { realmCacheService } from '@authstate/realm-cache/service'
import { redisService } from '@authstate/redis/service'
import type { Provider, Service, Spi } from '@authstate/spi'
import { stickySessionEncoderService } from '@authstate/sticky-session-encoder/service'
import { userSessionService } from '@authstate/user-session/service'
import { webSessionService } from '@authstate/web-session/service'

/** Every service of this library, and the connection that those on Redis share. All else in this package follows from it. */
export const services = [
  userSessionService,
  authSessionService,
  actionTokenService,
  webSessionService,
  loginFailureService,
  realmCacheService,
  stickySessionEncoderService,
  clusterService,
  redisService,
] as const

/** One of our services. */
export type AnyService = (typeof services)[number]

/** What `state` calls a service; `never` for one that is there for others. */
export type MemberOf<S extends Service> = S['member'] & string

/** The provider of a service. */
export type ProviderOf<S extends Service> = S['spi'] extends Spi<infer P extends Provider> ? P : never
