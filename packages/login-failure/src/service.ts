import { defineService } from '@authstate/spi'
import { loginFailureSpi } from './contract.js'

/** What the rest of the house knows of login-failure. */
export const loginFailureService = defineService({
  name: 'login-failure',
  member: 'loginFailures',
  spi: loginFailureSpi,
  stores: {
    memory: async () => (await import('./memory.js')).memoryLoginFailures(),
    redis: async () => (await import('./redis.js')).redisLoginFailures(),
  },
  realm: {
    verbs: [
      'recordFailure',
      'recordUnknownUser',
      'recordSuccess',
      'get',
      'getAddress',
      'check',
      'guard',
      'guardUnknownUser',
      'explain',
      'status',
      'listLocked',
      'clear',
      'clearAddress',
      'removeByRealm',
      'recompute',
    ],
    remove: (provider, realmId) => provider.removeByRealm(realmId),
    changed: (provider, realmId) => provider.recompute(realmId),
  },
  user: {
    forget: (provider, realmId, userId) => provider.clear(realmId, userId),
  },
  events: ['temporary-lock', 'permanent-lock', 'unlock', 'success-after-failures'],
  keys: {
    lf: 'failures of a user',
    la: 'failures from a network',
    ld: 'attempts under a name without a user',
    lg: 'attempts of a user that are being verified',
    lh: 'attempts from a network that are being verified',
    le: 'attempts under a name without a user that are being verified',
    lr: 'records of a realm',
    ll: 'users who are locked out of a realm',
    lu: 'names of a realm without a user',
    xl: 'records that other sites know of',
  },
})

// What the front door shows of it.
export type { LoginFailureProvider } from './contract.js'
export { loginFailureSpi } from './contract.js'
