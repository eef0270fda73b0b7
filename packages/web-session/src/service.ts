import { defineService } from '@authstate/spi'
import { webSessionSpi } from './contract.js'

/** What the rest of the house knows of web-session. */
export const webSessionService = defineService({
  name: 'web-session',
  member: 'webSessions',
  spi: webSessionSpi,
  stores: {
    memory: async () => (await import('./memory.js')).memoryWebSessions(),
    redis: async () => (await import('./redis.js')).redisWebSessions(),
  },
  realm: {
    verbs: [
      'save',
      'update',
      'get',
      'find',
      'remove',
      'list',
      'listByUser',
      'listByLabel',
      'count',
      'removeByUser',
      'removeByLabel',
      'removeByRealm',
    ],
    remove: (provider, realmId) => provider.removeByRealm(realmId),
  },
  user: {
    end: (provider, realmId, userId) => provider.removeByUser(realmId, userId),
    forget: (provider, realmId, userId) => provider.removeByUser(realmId, userId),
  },
  events: ['created', 'removed', 'refused'],
  keys: {
    wo: 'a session, and what was ended under its id',
    wr: 'sessions of a realm',
    wm: 'sessions of users',
    wl: 'sessions that bear a label',
    wf: "the end of a user's sessions",
    wp: 'the session that may bear an alias',
    xv: 'sessions that other sites know of',
  },
})

// What the front door shows of it.
export type { WebSession, WebSessionProvider } from './contract.js'
export { webSessionSpi } from './contract.js'
