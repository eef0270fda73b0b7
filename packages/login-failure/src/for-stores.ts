/**
 * What the author of a store of login failures needs: the port, the contract that is written over it, the schema of its
 * properties, and the rules that every store goes by.
 *
 * A provider is a factory whose `create` answers `new LoginFailures(context, config, yourStore)`.
 *
 * @module
 */
export { type IpAddress, type NetworkPrefixes, networkOf, parseIp } from './address.js'
export { type LoginFailureConfig, loginFailureConfig } from './config.js'
export { LoginFailures } from './login-failures.js'
export { DEFAULT_POLICY, type Policy, policyOf } from './policy.js'
export {
  applyFailure,
  applySuccess,
  attemptsLeft,
  decideSuccess,
  endOfLock,
  expiryOf,
  type Failure,
  type FailureState,
  type FailureStep,
  isLocked,
  lockPosition,
  mortalExpiryOf,
  NEVER,
  NO_FAILURES,
  type StoredSuccess,
  type SuccessOutcome,
} from './rules.js'
export {
  type FailureStore,
  type LockPage,
  MOST_DECOYS,
  type Policies,
  type Reservation,
  type ReservationOutcome,
  type StoredFailure,
  type StoredLock,
  type Subject,
} from './store.js'
