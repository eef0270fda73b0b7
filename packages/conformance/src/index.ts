export { checkScripts } from './check-scripts.js'
export { type CaseResult, type CheckOptions, checkSuite } from './check-suite.js'
export type { ConformanceEntry } from './cli/entries.js'
export { type CrossSiteOptions, type CrossSiteWalk, crossSiteSuite } from './cross-site-suite.js'
export { ConformanceFailure, type Guarantee } from './failure.js'
export { FakeClock } from './fake-clock.js'
export { type Fault, type FaultTarget, type FaultyClient, faultyClient } from './faulty-client.js'
export { hostileNames, hostileNotes, hostilePairs, refusesEndlessNames } from './hostile.js'
export { type Inspector, openInspector } from './inspector.js'
export { checkKeySpace, type KeyObserver, type KeySpaceRules } from './key-space-check.js'
export { type LeftOutCase, leftOut } from './left-out.js'
export { logsErrors } from './logged.js'
export { memoryTarget } from './memory-target.js'
export { refusesMisspelling, type Taker, type Takers, taker, type Whole } from './misspelling.js'
export { type ObservedClient, observeClient } from './observed-client.js'
export { type OpenStore, type ProviderDescription, providerTarget } from './provider-target.js'
export { type LogEntry, RecordingLogger } from './recording-logger.js'
export { type RedisTargetOptions, redisTarget } from './redis-target.js'
export { type Runner, type RunnerTest, type RunOptions, runSuite } from './run-suite.js'
export {
  type ServedSite,
  SiteMessages,
  SiteNode,
  type SiteNodeOptions,
  type SitePlant,
  type ToldState,
} from './site-walk.js'
export {
  type AddCase,
  type Case,
  defineSuite,
  type Level,
  levels,
  type Method,
  type OtherNode,
  type OwnOf,
  type Stage,
  type Suite,
  type SuiteBuilder,
  type Verbs,
} from './suite.js'
export type { LeftOut, OpenTarget, Target, TargetSetup } from './target.js'
export { together } from './together.js'
