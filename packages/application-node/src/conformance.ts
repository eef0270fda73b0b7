import {
  defineSuite,
  type KeySpaceRules,
  type Runner,
  runSuite,
  type Target,
  type Verbs,
} from '@authstate/conformance'
import { delivering } from './conformance/delivering.js'
import { LIFE_MS, MOST_DEAD, MOST_QUEUED, RETRY_MAX_MS, suiteApplication } from './conformance/fixture.js'
import { misuse } from './conformance/misuse.js'
import { registry } from './conformance/registry.js'
import { retrying } from './conformance/retrying.js'
import { targets } from './conformance/targets.js'
import { type ApplicationNodeProvider, applicationNodeSpi } from './contract.js'
import type { ApplicationNodeOptions } from './options.js'

const VERBS: Verbs<ApplicationNodeProvider> = {
  register: true,
  unregister: true,
  addManual: true,
  removeNode: true,
  list: true,
  removeByClient: true,
  removeByRealm: true,
  checkClient: true,
  announce: true,
  delivery: true,
  settled: true,
  deliverDue: true,
  listDead: true,
  retryDead: true,
  discardDead: true,
  on: true,
  stats: true,
}

/** The behaviour every application-node provider must show. Build it with {@link suiteOptions}, beside {@link suiteHttpClient}. */
export const applicationNodeSuite = defineSuite<ApplicationNodeProvider>(
  applicationNodeSpi,
  (add) => {
    delivering(add)
    retrying(add)
    targets(add)
    registry(add)
    misuse(add)
  },
  {
    // Cases say when something is sent.
    dispatch: false,
    retryMaxMs: RETRY_MAX_MS,
    maxLifeMs: LIFE_MS,
    maxQueued: MOST_QUEUED,
    maxDead: MOST_DEAD,
  },
  VERBS,
)

/** The application that the suite plays: what a provider under test is built with. */
export const suiteOptions: ApplicationNodeOptions = suiteApplication.options

/** The receivers that the suite plays, as an http-client: a factory that the provider under test is started beside. */
export const suiteHttpClient = suiteApplication.http

/** What keys of this SPI must satisfy; for `redisTarget`. */
export const applicationNodeKeySpace: KeySpaceRules = {
  records: ['nr', 'nd', 'nl', 'nb', 'nc'],
  indexes: {
    nv: (member, head, key) => `${head}:nd:${realmIn(key, head)}:${member}`,
    nq: (member, head) => `${head}:nl:${member}`,
    no: (member, head, key) => `${head}:nd:${realmIn(key, head)}:${member.slice(0, 21)}`,
    nx: (member, head, key) => `${head}:nd:${realmIn(key, head)}:${member.slice(8, 29)}`,
  },
  // Nodes that never end.
  immortal: ['nr', 'nc'],
}

const realmIn = (key: string, head: string): string => key.slice(head.length + ':nv:'.length)

/** Registers the suite for one implementation. */
export function describeApplicationNodes(target: Target<ApplicationNodeProvider>, runner: Runner): void {
  runSuite(applicationNodeSuite, target, runner)
}
