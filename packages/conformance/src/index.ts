export { checkScripts } from './check-scripts.js'
export { FakeClock } from './fake-clock.js'
export { type Fault, type FaultyClient, faultyClient } from './faulty-client.js'
export { type Inspector, openInspector } from './inspector.js'
export { checkKeySpace, type KeyObserver, type KeySpaceRules } from './key-space-check.js'
export { memoryTarget } from './memory-target.js'
export { type ObservedClient, observeClient } from './observed-client.js'
export { type LogEntry, RecordingLogger } from './recording-logger.js'
export { type RedisTargetOptions, redisTarget } from './redis-target.js'
export {
  leftOut,
  type OpenTarget,
  type Runner,
  runSuite,
  type Target,
  type TargetSetup,
} from './run-suite.js'
export {
  type Case,
  defineSuite,
  type Level,
  levels,
  type OtherNode,
  type Stage,
  type Suite,
  type SuiteBuilder,
} from './suite.js'
export { together } from './together.js'
