import { defineService } from '@authstate/spi'
import { userSessionSpi } from './contract.js'

/** What the rest of the house knows of user-session. */
export const userSessionService = defineService({
  name: 'user-session',
  member: 'userSessions',
  spi: userSessionSpi,
  stores: {
    memory: async () => (await import('./memory.js')).memoryUserSessions(),
    redis: async () => (await import('./redis.js')).redisUserSessions(),
  },
  realm: {
    verbs: [
      'create',
      'get',
      'refresh',
      'touch',
      'update',
      'restart',
      'remove',
      'putClientSession',
      'updateClientSession',
      'removeClientSession',
      'createOffline',
      'rotateRefreshToken',
      'rotateTransientToken',
      'listByUser',
      'listByClient',
      'listByBrokerUser',
      'listByBrokerSession',
      'list',
      'findByBrokerSession',
      'count',
      'countByClient',
      'clientStats',
      'removeByUser',
      'removeByClient',
      'removeByBrokerSession',
      'removeByRealm',
      'recompute',
    ],
    remove: (provider, realmId) => provider.removeByRealm(realmId),
    changed: (provider, realmId) => provider.recompute(realmId),
  },
  user: {
    end: (provider, realmId, userId) => provider.removeByUser(realmId, userId, { offline: 'both' }),
    forget: (provider, realmId, userId) => provider.removeByUser(realmId, userId, { offline: 'both' }),
  },
  events: ['created', 'removed', 'expired', 'client-removed'],
  keys: {
    us: 'an online session',
    os: 'an offline session',
    uu: 'sessions of a user',
    ou: 'offline sessions of a user',
    uc: 'sessions at a client',
    oc: 'offline sessions at a client',
    ub: 'sessions of a user of an identity provider',
    ob: 'offline sessions of a user of an identity provider',
    ui: 'sessions of a login at an identity provider',
    oi: 'offline sessions of a login at an identity provider',
    ur: 'sessions of a realm',
    or: 'offline sessions of a realm',
    uk: 'clients of a realm',
    ok: 'clients of a realm with offline sessions',
    ux: 'realms to sweep',
    uf: 'a fence',
    of: 'a fence for offline sessions',
    ut: 'refresh tokens without a session',
    ue: 'refresh tokens without a session that were ended',
    ul: 'who sweeps a partition',
  },
  stats: (provider) => provider.stats(),
})

// What the front door shows of it.
export type { ClientSession, UserSession, UserSessionProvider } from './contract.js'
export { userSessionSpi } from './contract.js'
