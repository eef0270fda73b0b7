import type { SiteJoiner } from '@authstate/redis'
import { ConfigurationError } from '@authstate/spi'
import { expect, test } from 'vitest'
import { type CrossSiteConfig, crossSite } from '../src/index.js'

const good: CrossSiteConfig = { site: 'a', sites: { b: { redis: { url: 'rediss://redis.b.example:6379' } } } }
const refusing = (config: object): string => {
  try {
    crossSite({ ...good, ...config } as CrossSiteConfig)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError)
    return (error as Error).message
  }
  return 'taken'
}

/** A joiner that a plugin could give. */
const joinerOf = (spi: string): SiteJoiner => ({
  spi,
  kinds: [spi],
  owns: (name) => name.startsWith(`${spi}:`),
  read: async () => undefined,
  join: async () => ({ outcome: 'same' }),
  names: async () => ({ names: [], next: undefined }),
})

test('a consumer asks for the records of every service that is kept in step, and of no other', () => {
  const kinds = (config: object) => crossSite({ ...good, ...config }).consumer.kinds
  const joiners = [joinerOf('vault')]
  expect(kinds({ joiners })).toEqual([...kinds({}), 'vault'])
  expect(kinds({ joiners, spi: { vault: { strategy: 'none' } } })).toEqual(kinds({}))
  const withoutSessions = kinds({ joiners, spi: { 'user-session': { strategy: 'none' } } })
  expect(withoutSessions).toContain('vault')
  expect(withoutSessions).not.toContain('user-session')
})

test('a configuration of sites says which consumer of changes it needs', () => {
  const { consumer } = crossSite(good)
  expect(consumer).toEqual({
    name: 'sites',
    kinds: [
      'user-session',
      'user-session-fence',
      'action-token',
      'action-token-revocation',
      'login-failure',
      'web-session',
      'web-session-fence',
    ],
    details: true,
  })
})

test.each<[string, object]>([
  ['crossSite.sites.b.transport: not built yet', { sites: { b: { redis: {}, transport: {} } } }],
  ['crossSite.outbox: not built yet: use redis.changes.maxNotes', { outbox: { maxEntries: 5 } }],
])('what is not built yet is refused: %s', (message, config) => {
  expect(refusing(config)).toContain(message)
})

test.each<[string, object]>([
  ['crossSite.site: must be 1 to 16', { site: 'A site' }],
  ['crossSite.sites: names no other site', { sites: {} }],
  ['crossSite.sites.a: is the site itself', { sites: { a: { redis: { url: 'redis://127.0.0.1' } } } }],
  ['unencrypted', { sites: { b: { redis: { url: 'redis://redis.b.example:6379' } } } }],
  ['unencrypted', { sites: { b: { redis: { nodes: ['10.0.0.7:6379'] } } } }],
  [
    'crossSite.sites.b.redis.changes: has no effect',
    { sites: { b: { redis: { url: 'rediss://b', changes: {} } } } },
  ],
  ['crossSite.clock.warnMs: must not be above limitMs', { clock: { warnMs: 5_000, limitMs: 1_000 } }],
  [
    'crossSite.spi.user-sessions: there is no such service. Known: user-session, action-token',
    { spi: { 'user-sessions': {} } },
  ],
  [
    "crossSite.spi.user-session.onFailure: has no effect: no verb waits without strategy: 'sync'",
    { spi: { 'user-session': { onFailure: 'fail' } } },
  ],
  [
    'crossSite.spi.user-session.perSite.c: there is no such site. Known: b',
    { spi: { 'user-session': { perSite: { c: { strategy: 'none' } } } } },
  ],
  [
    'crossSite.spi.action-token.perSite: one site decides about each key',
    {
      sites: { b: { redis: {} }, c: { redis: {} } },
      spi: { 'action-token': { perSite: { b: { strategy: 'none' } } } },
    },
  ],
  ['crossSite.spi.login-failure.singleUse: has no effect', { spi: { 'login-failure': { singleUse: {} } } }],
  ['crossSite.spi.user-session.timeoutMs', { spi: { 'user-session': { strategy: 'sync', timeoutMs: 0 } } }],
  ['crossSite.recovery.mode', { recovery: { mode: 'never' } }],
  ['crossSite.recovery.push', { recovery: { push: 'none' } }],
  [
    "crossSite.recovery.push: has no effect: with mode 'manual' a site comes back by bringOnline alone",
    { recovery: { mode: 'manual', push: 'both' } },
  ],
  ['crossSite.recovery.stableMs: has no effect', { recovery: { mode: 'manual', stableMs: 5 } }],
  ['crossSite.spi.toString: there is no such service', { spi: { toString: {} } }],
  ['crossSite.joiners.0: must be a joiner', { joiners: [{ spi: 'vault' }] }],
  ['crossSite.joiners: there is a joiner for user-session already', { joiners: [joinerOf('user-session')] }],
  [
    'crossSite.joiners: there is a joiner for vault already',
    { joiners: [joinerOf('vault'), joinerOf('vault')] },
  ],
  [
    'crossSite.marks.b: is "x", which is the mark of the site "a" too: give each site a mark of its own',
    { marks: { a: 'x', b: 'x' } },
  ],
  ['crossSite.marks: has no mark for the site "a"', { marks: { b: 'x' } }],
  ['crossSite.marks.c: there is no such site. Known: a, b', { marks: { a: '1', b: '2', c: '3' } }],
  ['crossSite.marks.b: must be one character of 1-9, A-Z and a-z', { marks: { a: '1', b: '0' } }],
  ['crossSite.membershipVersion', { membershipVersion: 0 }],
  ['crossSite.tombstoneMs', { tombstoneMs: '5s' }],
  ['crossSite.takeOffline.afterFailures', { takeOffline: { afterFailures: -1 } }],
  ['crossSite.health.serveWhileSyncing', { health: { serveWhileSyncing: 'yes' } }],
  ["crossSite.sitess: this property does not exist. Known: 'site', 'sites'", { sitess: {} }],
  [
    "crossSite.takeOffline.minWait: this property does not exist. Known: 'afterFailures', 'minWaitMs', 'scope'. Did you mean 'minWaitMs'?",
    { takeOffline: { minWait: 5 } },
  ],
  [
    "crossSite.sites.b.redi: this property does not exist. Known: 'redis', 'allowPlaintext'. Did you mean 'redis'?",
    { sites: { b: { redi: {} } } },
  ],
  ['crossSite.sites.b.redis: is missing', { sites: { b: {} } }],
  ["Did you mean 'strategy'?", { spi: { 'user-session': { perSite: { b: { strategi: 'sync' } } } } }],
  ['crossSite.membershipVersion: must be number', { membershipVersion: '7x' }],
])('what cannot work is refused: %s', (message, config) => {
  expect(refusing(config)).toContain(message)
})

test.each<[string, object]>([
  ['TLS', { sites: { b: { redis: { url: 'rediss://redis.b.example' } } } }],
  ['loopback', { sites: { b: { redis: { url: 'redis://127.0.0.1:6379' } } } }],
  ['plain text that was asked for', { sites: { b: { redis: { url: 'redis://b' }, allowPlaintext: true } } }],
  ['spans as text', { tombstoneMs: '30d', takeOffline: { minWaitMs: '1m' }, clock: { limitMs: '10s' } }],
  [
    'verbs that wait, for all sites or for some',
    {
      defaults: { onFailure: 'fail', timeoutMs: '1s' },
      spi: { 'user-session': { perSite: { b: { strategy: 'sync', await: 'any' } } } },
    },
  ],
  ['a mark for each site', { marks: { a: 'L', b: '2' }, membershipVersion: 7 }],
  ['a time for the site that decides', { spi: { 'action-token': { timeoutMs: '1s' } } }],
  ['a push after the return of a site', { recovery: { push: 'both', stableMs: '5s' } }],
  ['none', { spi: { 'user-session': { strategy: 'none' } } }],
  ['none of what stays at its site anyway', { spi: { 'auth-session': { strategy: 'none' } } }],
  ['a service of a plugin', { joiners: [joinerOf('vault')], spi: { vault: { strategy: 'async' } } }],
])('what can work is taken: %s', (_, config) => {
  expect(refusing(config)).toBe('taken')
})
