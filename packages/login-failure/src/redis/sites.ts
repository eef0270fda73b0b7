export { joinFailures, type SharedFailures } from '../shared-failures.js'
export { loginFailureJoiner } from './joiner.js'
