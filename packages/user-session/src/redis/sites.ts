export {
  joinShared,
  type SharedClient,
  type SharedSession,
  type Stamped,
  type StampedParts,
} from '../shared-state.js'
export { userSessionJoiner } from './joiner.js'
