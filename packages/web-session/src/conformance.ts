import {
  defineSuite,
  type KeySpaceRules,
  type Runner,
  runSuite,
  type Target,
  type Verbs,
} from '@authstate/conformance'
import { aliases } from './conformance/aliases.js'
import { events } from './conformance/events.js'
import { CEILING_MS, DATA_CEILING, TOMBSTONE_MS } from './conformance/fixture.js'
import { names } from './conformance/hostile-names.js'
import { life } from './conformance/life.js'
import { listing } from './conformance/listing.js'
import { misspelling } from './conformance/misspelling.js'
import { misuse } from './conformance/misuse.js'
import { removal } from './conformance/removal.js'
import { saving } from './conformance/saving.js'
import { updating } from './conformance/updating.js'
import { users } from './conformance/users.js'
import { type WebSessionProvider, webSessionSpi } from './contract.js'
import { DIGEST_CHARACTERS } from './rules.js'

const VERBS: Verbs<WebSessionProvider> = {
  save: true,
  update: true,
  get: true,
  find: true,
  remove: true,
  list: true,
  listByUser: true,
  listByLabel: true,
  count: true,
  removeByUser: true,
  removeByLabel: true,
  removeByRealm: true,
  on: true,
}

/** The behaviour every web-session provider must show. */
export const webSessionSuite = defineSuite<WebSessionProvider>(
  webSessionSpi,
  (add) => {
    saving(add)
    updating(add)
    life(add)
    listing(add)
    users(add)
    aliases(add)
    removal(add)
    events(add)
    names(add)
    misuse(add)
    misspelling(add)
  },
  { maxLifespanMs: CEILING_MS, maxDataBytes: DATA_CEILING, tombstoneMs: TOMBSTONE_MS },
  VERBS,
)

/** What keys of this SPI must satisfy; for `redisTarget`. */
export const webSessionKeySpace: KeySpaceRules = {
  records: ['wo', 'wf', 'wp'],
  indexes: {
    wr: (member, head, key) => recordOf(member, head, key),
    wm: (member, head, key) => recordOf(member.slice(TAG_CHARACTERS), head, key),
    wu: (member, head, key) => recordOf(member, head, key),
    wl: (member, head, key) => recordOf(member, head, key),
  },
}

/** Of the user of a session, before it in the index of users. */
const TAG_CHARACTERS = 3

function recordOf(member: string, head: string, key: string): string {
  const [realm = ''] = key.slice(head.length + ':wr:'.length).split(':')
  return `${head}:wo:${realm}:${member.split(':')[0]?.slice(DIGEST_CHARACTERS)}`
}

/** Registers the suite for one implementation. */
export function describeWebSessions(target: Target<WebSessionProvider>, runner: Runner): void {
  runSuite(webSessionSuite, target, runner)
}
