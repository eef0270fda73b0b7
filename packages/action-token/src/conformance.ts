import { defineSuite, type KeySpaceRules, type Verbs } from '@authstate/conformance'
import { consuming } from './conformance/consuming.js'
import { counting } from './conformance/counting.js'
import { events } from './conformance/events.js'
import { families } from './conformance/families.js'
import { CEILING_MS } from './conformance/fixture.js'
import { names } from './conformance/hostile-names.js'
import { life } from './conformance/life.js'
import { listing } from './conformance/listing.js'
import { misspelling } from './conformance/misspelling.js'
import { misuse } from './conformance/misuse.js'
import { revocation } from './conformance/revocation.js'
import { signedTokens } from './conformance/signed-tokens.js'
import { subjectsAndRealms } from './conformance/subjects-and-realms.js'
import { taking } from './conformance/taking.js'
import { type ActionTokenProvider, actionTokenSpi } from './contract.js'

const VERBS: Verbs<ActionTokenProvider> = {
  mintKey: true,
  put: true,
  putIfAbsent: true,
  get: true,
  has: true,
  replace: true,
  consume: true,
  take: true,
  countUse: true,
  remove: true,
  revokeFamily: true,
  listBySubject: true,
  removeBySubject: true,
  removeByRealm: true,
  revoke: true,
  isRevoked: true,
  issueActionToken: true,
  verifyActionToken: true,
  consumeActionToken: true,
  on: true,
}

/** The behaviour every action-token provider must show. */
export const actionTokenSuite = defineSuite<ActionTokenProvider>(
  actionTokenSpi,
  (add) => {
    life(add)
    consuming(add)
    taking(add)
    counting(add)
    families(add)
    subjectsAndRealms(add)
    listing(add)
    revocation(add)
    events(add)
    signedTokens(add)
    names(add)
    misuse(add)
    misspelling(add)
  },
  { maxLifespanMs: CEILING_MS, maxDataBytes: 4_096 },
  VERBS,
)

/** What keys of this SPI must satisfy; for `redisTarget`. */
export const actionTokenKeySpace: KeySpaceRules = {
  records: ['ao', 'ax', 'av', 'ac'],
  indexes: {
    ar: (tail, head) => `${head}:${tail}`,
    af: (tail, head) => `${head}:${tail}`,
    as: (tail, head) => `${head}:${tail}`,
  },
}
