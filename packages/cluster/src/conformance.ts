import { defineSuite, type KeySpaceRules, type Verbs } from '@authstate/conformance'
import { events } from './conformance/events.js'
import { PROPERTIES } from './conformance/fixture.js'
import { names } from './conformance/hostile-names.js'
import { locks } from './conformance/locks.js'
import { misspelling } from './conformance/misspelling.js'
import { tasks } from './conformance/tasks.js'
import { views } from './conformance/views.js'
import { type ClusterProvider, clusterSpi } from './contract.js'

const VERBS: Verbs<ClusterProvider> = {
  view: true,
  refresh: true,
  onViewChange: true,
  publish: true,
  subscribe: true,
  channel: true,
  onChannelChange: true,
  runOnce: true,
  runOnceOrWait: true,
  withLock: true,
  lockSession: true,
  startedAt: true,
}

/** The behaviour every cluster provider must show. */
export const clusterSuite = defineSuite<ClusterProvider>(
  clusterSpi,
  (add) => {
    views(add)
    events(add)
    tasks(add)
    names(add)
    locks(add)
    misspelling(add)
  },
  PROPERTIES,
  VERBS,
)

/** What keys of this SPI must satisfy; for `redisTarget`. */
export const clusterKeySpace: KeySpaceRules = {
  records: ['cl', 'cm', 'cs', 'ce', 'ck', 'cf'],
  indexes: {},
  // When the cluster began, and the last fence: both must outlive every node.
  immortal: ['cl', 'cf'],
}
