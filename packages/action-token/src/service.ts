import { defineService } from '@authstate/spi'
import { actionTokenSpi } from './contract.js'

/** What the rest of the house knows of action-token. */
export const actionTokenService = defineService({
  name: 'action-token',
  member: 'actionTokens',
  spi: actionTokenSpi,
  stores: {
    memory: async () => (await import('./memory.js')).memoryActionTokens(),
    redis: async () => (await import('./redis.js')).redisActionTokens(),
  },
  realm: {
    verbs: [
      'put',
      'putIfAbsent',
      'get',
      'has',
      'replace',
      'consume',
      'take',
      'countUse',
      'remove',
      'revokeFamily',
      'listBySubject',
      'removeBySubject',
      'removeByRealm',
      'revoke',
      'isRevoked',
      'issueActionToken',
      'verifyActionToken',
      'consumeActionToken',
    ],
    remove: (provider, realmId) => provider.removeByRealm(realmId),
  },
  user: {
    end: (provider, realmId, userId) => provider.removeBySubject(realmId, userId),
    forget: (provider, realmId, userId) => provider.removeBySubject(realmId, userId),
  },
  events: ['consumed', 'replayed', 'family-revoked'],
  keys: {
    ao: 'a token',
    ar: 'tokens of a realm',
    af: 'tokens of a family',
    as: 'tokens about a subject',
    ax: 'revoked families of a realm',
    av: 'a revoked token id',
    ac: 'how often something was tried',
    xo: 'realms with tokens, for other sites',
    xg: 'tokens that were removed, for other sites',
    xc: 'what sites disagree on',
  },
})

// What the front door shows of it.
export type { ActionTokenProvider, ConsumeOutcome, TokenRecord } from './contract.js'
export { actionTokenSpi } from './contract.js'
