export { joinShared, type SharedContent, type SharedToken, type SharedUse } from '../shared-token.js'
export { actionTokenJoiner } from './joiner.js'
