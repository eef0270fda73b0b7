import { followedBySites, redisConnectionSpi, type SiteVerbs } from '@authstate/redis'
import { describedSchema, type ProviderFactory } from '@authstate/spi'
import { assertNoProperties } from '@authstate/spi/internal'
import { type UserSessionConfig, userSessionConfig } from './config.js'
import { type UserSessionProvider, userSessionSpi } from './contract.js'
import { RedisStore } from './redis/store.js'
import { UserSessions } from './user-sessions.js'

/** Keeps sessions in Redis, shared by every node of the deployment. */
export function redisUserSessions(): ProviderFactory<UserSessionProvider, UserSessionConfig>
export function redisUserSessions(
  ...given: unknown[]
): ProviderFactory<UserSessionProvider, UserSessionConfig> {
  assertNoProperties(given, 'redisUserSessions', userSessionSpi, 'redis')
  return {
    spi: userSessionSpi,
    id: 'redis',
    dependsOn: [redisConnectionSpi],
    config: describedSchema(userSessionConfig),
    create: (context, config) => {
      const sessions = new UserSessions(context, config, (parts) => new RedisStore(parts))
      const connection = context.get(redisConnectionSpi)
      return followedBySites<UserSessionProvider>(sessions, connection, userSessionSpi.name, VERBS, {
        // Another site had ended all sessions of the user, and this one had not heard of it.
        async create([realmId], made) {
          if (made.outcome !== 'created' || (await sessions.get(realmId, made.session.id)) !== undefined)
            return made
          return { outcome: 'refused', reason: 'ended' }
        },
        async rotateRefreshToken([realmId, id, { clientId, offline = false }], rotated) {
          if (rotated.outcome !== 'rotated') return rotated
          const session = await sessions.get(realmId, id, { clientId, offline })
          return session?.clients.has(clientId) ? rotated : { outcome: 'reused' }
        },
      })
    },
  }
}

/** Verbs after which other sites may be waited for. Those that begin or rotate something are not to be repeated blindly. */
const VERBS: SiteVerbs<UserSessionProvider> = {
  create: 'unsafe',
  refresh: 'touch',
  touch: 'touch',
  update: 'safe',
  restart: 'safe',
  remove: 'safe',
  putClientSession: 'safe',
  updateClientSession: 'safe',
  removeClientSession: 'safe',
  createOffline: 'safe',
  rotateRefreshToken: 'unsafe',
  removeByUser: 'safe',
  removeByBrokerSession: 'safe',
  removeByClient: 'safe',
  removeByRealm: 'safe',
}
