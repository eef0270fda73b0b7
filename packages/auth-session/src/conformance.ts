import { defineSuite, type KeySpaceRules, type Verbs } from '@authstate/conformance'
import { counts } from './conformance/counts.js'
import { endings } from './conformance/endings.js'
import { events } from './conformance/events.js'
import { NOTES_CEILING } from './conformance/fixture.js'
import { names } from './conformance/hostile-names.js'
import { misspelling } from './conformance/misspelling.js'
import { misuse } from './conformance/misuse.js'
import { patches } from './conformance/patches.js'
import { promotion } from './conformance/promotion.js'
import { roots } from './conformance/roots.js'
import { tabs } from './conformance/tabs.js'
import { type AuthSessionProvider, authSessionSpi } from './contract.js'

const VERBS: Verbs<AuthSessionProvider> = {
  createRoot: true,
  getRoot: true,
  getOrCreateRoot: true,
  restartRoot: true,
  touchRoot: true,
  removeRoot: true,
  addTab: true,
  getTab: true,
  updateTab: true,
  restartTab: true,
  removeTab: true,
  finishTab: true,
  promote: true,
  count: true,
  removeByRealm: true,
  on: true,
}

/** The behaviour every authentication-session provider must show. */
export const authSessionSuite = defineSuite<AuthSessionProvider>(
  authSessionSpi,
  (add) => {
    roots(add)
    tabs(add)
    patches(add)
    endings(add)
    counts(add)
    promotion(add)
    events(add)
    names(add)
    misuse(add)
    misspelling(add)
  },
  { maxNotesBytes: NOTES_CEILING },
  VERBS,
)

/** What keys of this SPI must satisfy; for `redisTarget`. */
export const authSessionKeySpace: KeySpaceRules = {
  records: ['auth'],
  indexes: { 'auth-realm': (rootId, head, key) => `${head}:auth:${key.split(':auth-realm:')[1]}:${rootId}` },
}
