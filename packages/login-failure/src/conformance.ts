import { defineSuite, type KeySpaceRules, type Verbs } from '@authstate/conformance'
import { addresses } from './conformance/addresses.js'
import { administration } from './conformance/administration.js'
import { counting } from './conformance/counting.js'
import { guarding } from './conformance/guarding.js'
import { names } from './conformance/hostile-names.js'
import { lifetime } from './conformance/lifetime.js'
import { listing } from './conformance/listing.js'
import { locking } from './conformance/locking.js'
import { misspelling } from './conformance/misspelling.js'
import { misuse } from './conformance/misuse.js'
import { secondFactor } from './conformance/second-factor.js'
import { unknownUsers } from './conformance/unknown-users.js'
import { type LoginFailureProvider, loginFailureSpi } from './contract.js'

const VERBS: Verbs<LoginFailureProvider> = {
  recordFailure: true,
  recordUnknownUser: true,
  recordSuccess: true,
  get: true,
  getAddress: true,
  check: true,
  guard: true,
  guardUnknownUser: true,
  explain: true,
  status: true,
  listLocked: true,
  clear: true,
  clearAddress: true,
  removeByRealm: true,
  recompute: true,
  on: true,
}

/** The behaviour every login-failure provider must show. */
export const loginFailureSuite = defineSuite<LoginFailureProvider>(
  loginFailureSpi,
  (add) => {
    counting(add)
    locking(add)
    secondFactor(add)
    unknownUsers(add)
    lifetime(add)
    guarding(add)
    addresses(add)
    administration(add)
    listing(add)
    names(add)
    misuse(add)
    misspelling(add)
  },
  {},
  VERBS,
)

/** What keys of this SPI must satisfy; for `redisTarget`. Records of permanent locks, and their index, live for ever. */
export const loginFailureKeySpace: KeySpaceRules = {
  records: ['lf', 'la', 'ld', 'lg', 'lh', 'le'],
  indexes: {
    lr: (tail, head) => `${head}:${tail}`,
    lu: (tail, head) => `${head}:${tail}`,
    ll: (member, head) => `${head}:${member.replace(/^[0-9a-f]{12}/, '')}`,
  },
  immortal: ['lf', 'lr', 'll'],
}
