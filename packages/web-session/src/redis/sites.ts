export { joinShared, type SharedContent, type SharedSession } from '../site-session.js'
export { webSessionJoiner } from './joiner.js'
