import { defineService } from '@authstate/spi'
import { authSessionSpi } from './contract.js'

/** What the rest of the house knows of auth-session. */
export const authSessionService = defineService({
  name: 'auth-session',
  member: 'authSessions',
  spi: authSessionSpi,
  stores: {
    memory: async () => (await import('./memory.js')).memoryAuthSessions(),
    redis: async () => (await import('./redis.js')).redisAuthSessions(),
  },
  realm: {
    verbs: [
      'createRoot',
      'getRoot',
      'getOrCreateRoot',
      'restartRoot',
      'touchRoot',
      'removeRoot',
      'addTab',
      'getTab',
      'updateTab',
      'restartTab',
      'removeTab',
      'finishTab',
      'promote',
      'count',
      'removeByRealm',
    ],
    remove: (provider, realmId) => provider.removeByRealm(realmId),
  },
  events: ['created', 'removed', 'tab-added', 'tab-removed', 'promoted'],
  keys: {
    auth: 'a root and its tabs',
    'auth-realm': 'roots of a realm',
    xy: 'roots that other sites know of',
  },
})

// What the front door shows of it.
export type { AuthSessionProvider, AuthSessionTab, RootAuthSession } from './contract.js'
export { authSessionSpi } from './contract.js'
