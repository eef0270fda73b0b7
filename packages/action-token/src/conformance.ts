import { defineSuite, type KeySpaceRules, type Verbs } from '@authstate/conformance'
import { consuming } from './conformance/consuming.js'
import { families } from './conformance/families.js'
import { CEILING_MS } from './conformance/fixture.js'
import { names } from './conformance/hostile-names.js'
import { life } from './conformance/life.js'
import { misspelling } from './conformance/misspelling.js'
import { misuse } from './conformance/misuse.js'
import { revocation } from './conformance/revocation.js'
import { signedTokens } from './conformance/signed-tokens.js'
import { subjectsAndRealms } from './conformance/subjects-and-realms.js'
import { type ActionTokenProvider, actionTokenSpi } from './contract.js'

const VERBS: Verbs<ActionTokenProvider> = {
  put: true,
  putIfAbsent: true,
  get: true,
  has: true,
  replace: true,
  consume: true,
  remove: true,
  revokeFamily: true,
  removeBySubject: true,
  removeByRealm: true,
  revoke: true,
  isRevoked: true,
  issueActionToken: true,
  verifyActionToken: true,
  consumeActionToken: true,
}

/** The behaviour every action-token provider must show. */
export const actionTokenSuite = defineSuite<ActionTokenProvider>(
  actionTokenSpi,
  (add) => {
    life(add)
    consuming(add)
    families(add)
    subjectsAndRealms(add)
    revocation(add)
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
  records: ['ao', 'ax', 'av'],
  indexes: {
    ar: (tail, head) => `${head}:${tail}`,
    af: (tail, head) => `${head}:${tail}`,
    as: (tail, head) => `${head}:${tail}`,
  },
}
