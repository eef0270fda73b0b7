import { assertName, assertNames, assertObject, assertOptions, type Known } from '@authstate/spi'
import { cacheOperations } from './caches.js'
import { clusterOperations } from './cluster.js'
import { failureOperations } from './failures.js'
import type { Operations, OperationsOptions } from './operations.js'
import { References } from './references.js'
import { sessionOperations } from './sessions.js'
import { tokenOperations } from './tokens.js'

const OPTIONS: Known<OperationsOptions> = { state: true, keyring: true, realms: true }

/**
 * Looks at a running deployment and acts on it: call it in a command, a console or an admin page of your own, beside the
 * state that it works on. It opens nothing, so there is nothing to close; end the state.
 *
 * Who may do what is yours to decide before you call a verb.
 *
 * @throws {TypeError} an option is unknown or has the wrong type
 * @throws {ConfigurationError} the keyring cannot work
 */
export function createOperations(options: OperationsOptions): Operations {
  assertOptions(options, 'options', OPTIONS)
  const { state, keyring, realms = [] } = options
  assertObject(state as unknown, 'options.state')
  if (typeof realms !== 'function') assertNames(realms, 'options.realms')
  const references = new References(keyring, state.clock)
  return {
    sessions: sessionOperations(state, references),
    failures: failureOperations(state),
    tokens: tokenOperations(state, references),
    caches: cacheOperations(state),
    cluster: clusterOperations(state),
    hasReferences: references.areMade,
    async realms() {
      const known = typeof realms === 'function' ? await realms() : realms
      for (const realm of known) assertName(realm, 'realms')
      return [...known]
    },
    endUser: (realmId, userId) => state.endUser(realmId, userId),
    forgetUser: (realmId, userId) => state.forgetUser(realmId, userId),
    removeRealm: (realmId) => state.removeRealm(realmId),
    realmChanged: (realmId) => state.realmChanged(realmId),
    configuration: () => state.describe(),
    health: () => state.health(),
    stats: () => state.stats(),
  }
}
