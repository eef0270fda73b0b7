export { joinRoots, type SharedRoot, type SharedRootContent, type SharedTab } from '../site-root.js'
export { authSessionJoiner } from './joiner.js'
