import { defineSuite } from '@authstate/conformance'
import { defineRootCases } from './conformance/roots.js'
import { defineTabCases } from './conformance/tabs.js'
import { authSessionSpi } from './contract.js'

/** What every authentication-session provider must show. */
export const authSessionSuite = defineSuite(authSessionSpi, (add) => {
  defineRootCases(add)
  defineTabCases(add)
})
