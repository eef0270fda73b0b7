/**
 * What only the packages of this house need of `spi`. Nothing here is promised to anybody: it may change in any version.
 *
 * @module
 */
export { mapAnswer } from './answer.js'
export { type Around, runAround } from './around.js'
export { DEFAULT_MAX_NOTES_BYTES, MAX_NAME_BYTES } from './assert.js'
export { bodyText } from './body-text.js'
export {
  type ForwardedHop,
  forwardedAddress,
  headerList,
  parseIp,
  trustedProxyFault,
  trustedProxyList,
  walkHops,
} from './client-address.js'
export { hostClocks } from './clock.js'
export { ERRORS_ADDRESS } from './docs-address.js'
export { isPromiseLike } from './emitter.js'
export { hostPattern, isHostName, isHostPattern } from './host-names.js'
export { ID_LENGTH, markIn, mintMarkedKey, NO_SITE_MARK, withMark } from './ids.js'
export { higher, larger, later, merged } from './joins.js'
export { type DerivedKey, type DerivedKeyring, deriveKeyring } from './keyring.js'
export { LiveKeyring } from './live-keyring.js'
export { assertNoOptions, assertNoProperties } from './no-options.js'
export { MAX_PAGE_SIZE } from './page.js'
export { inheritedNames, isError, isPlainObject, isUnchanged, RESERVED_NAMES } from './plain.js'
export { answerOf } from './provider-answer.js'
export { Pruner } from './pruner.js'
export { positive } from './realm.js'
export { entriesOfNow, inSlices, SLICE, slices, turn } from './slices.js'
export { stopwatchOf } from './stopwatch.js'
export { fold, knownNames, listNames, nearest, quote } from './suggest.js'
export { timers } from './timers.js'
