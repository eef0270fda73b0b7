import { defineSuite, type KeySpaceRules, type Verbs } from '@authstate/conformance'
import { clientSessions } from './conformance/client-sessions.js'
import { clientUse } from './conformance/client-use.js'
import { events } from './conformance/events.js'
import { expiry } from './conformance/expiry.js'
import { fences } from './conformance/fences.js'
import { MAX_NOTES_BYTES } from './conformance/fixture.js'
import { names } from './conformance/hostile-names.js'
import { lifeCycle } from './conformance/life-cycle.js'
import { limits } from './conformance/limits.js'
import { listings } from './conformance/listings.js'
import { misspelling } from './conformance/misspelling.js'
import { misuse } from './conformance/misuse.js'
import { offlineSessions } from './conformance/offline.js'
import { races } from './conformance/races.js'
import { removal } from './conformance/removal.js'
import { settingsOfNow } from './conformance/settings-of-now.js'
import { tokens } from './conformance/tokens.js'
import { heard } from './conformance/told.js'
import { type UserSessionProvider, userSessionSpi } from './contract.js'

const VERBS: Verbs<UserSessionProvider> = {
  create: true,
  get: true,
  refresh: true,
  touch: true,
  update: true,
  restart: true,
  remove: true,
  putClientSession: true,
  updateClientSession: true,
  removeClientSession: true,
  createOffline: true,
  rotateRefreshToken: true,
  rotateTransientToken: true,
  listByUser: true,
  listByClient: true,
  listByBrokerUser: true,
  list: true,
  findByBrokerSession: true,
  listByBrokerSession: true,
  removeByBrokerSession: true,
  count: true,
  countByClient: true,
  clientStats: true,
  removeByUser: true,
  removeByClient: true,
  removeByRealm: true,
  recompute: true,
  sweep: true,
  on: true,
  stats: true,
}

/** The behaviour every user-session provider must show. */
export const userSessionSuite = defineSuite<UserSessionProvider>(
  userSessionSpi,
  (add) => {
    lifeCycle(add)
    clientSessions(add)
    expiry(add)
    settingsOfNow(add)
    clientUse(add)
    listings(add)
    removal(add)
    fences(add)
    offlineSessions(add)
    tokens(add)
    limits(add)
    events(add)
    heard(add)
    races(add)
    names(add)
    misuse(add)
    misspelling(add)
  },
  { maxNotesBytes: MAX_NOTES_BYTES, sweepIntervalMs: 0 },
  VERBS,
)

/** The record an index entry stands for: it has the realm of the index. */
const sessionOf = (twin: string) => (id: string, head: string, key: string) =>
  `${head}:${twin}s:${key.slice(head.length + 1).split(':')[1]}:${id}`

/** What keys of this SPI must satisfy; for `redisTarget`. */
export const userSessionKeySpace: KeySpaceRules = {
  records: ['us', 'os', 'uk', 'ok', 'uf', 'of', 'ux', 'ul', 'ut', 'ue'],
  indexes: Object.fromEntries(
    ['u', 'o'].flatMap((twin) => ['u', 'c', 'b', 'i', 'r'].map((letter) => [twin + letter, sessionOf(twin)])),
  ),
}
