import { redisConnectionSpi } from '@authstate/redis'
import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { type UserSessionConfig, userSessionConfig } from './config.js'
import { type UserSessionProvider, userSessionSpi } from './contract.js'
import { RedisStore } from './redis/store.js'
import { UserSessions } from './user-sessions.js'

/** Keeps sessions in Redis, shared by every node of the deployment. */
export function redisUserSessions(): ProviderFactory<UserSessionProvider, UserSessionConfig> {
  return {
    spi: userSessionSpi,
    id: 'redis',
    dependsOn: [redisConnectionSpi],
    config: describedSchema(userSessionConfig),
    create: (context, config) => new UserSessions(context, config, (parts) => new RedisStore(parts)),
  }
}
