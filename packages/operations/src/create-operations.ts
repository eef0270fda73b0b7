import { type AuditActor, auditSpi } from '@authstate/audit'
import { assertName, assertNames, assertObject, assertOneOf, assertOptions, type Known } from '@authstate/spi'
import { Recorder } from './audit.js'
import { cacheOperations } from './caches.js'
import { clusterOperations } from './cluster.js'
import { failureOperations } from './failures.js'
import type { Operations, OperationsOptions } from './operations.js'
import { References } from './references.js'
import { sessionOperations } from './sessions.js'
import { siteOperations } from './sites.js'
import { tokenOperations } from './tokens.js'

const OPTIONS: Known<OperationsOptions> = { state: true, keyring: true, realms: true, actor: true }

/**
 * Looks at a running deployment and acts on it: call it in a command, a console or an admin page of your own, beside the
 * state that it works on. It opens nothing, so there is nothing to close; end the state.
 *
 * The verbs do not check rights. Decide who may do what before you call a verb.
 *
 * @throws {TypeError} an option is unknown or has the wrong type
 * @throws {ConfigurationError} the keyring cannot work
 */
export function createOperations(options: OperationsOptions): Operations {
  assertOptions(options, 'options', OPTIONS)
  const { state, keyring, realms = [], actor = APPLICATION } = options
  assertObject(state as unknown, 'options.state')
  if (typeof realms !== 'function') assertNames(realms, 'options.realms')
  assertActor(actor, 'options.actor')
  const references = new References(keyring, state.clock)
  const audit = state.find(auditSpi)

  const operationsFor = (acting: AuditActor): Operations => {
    const recorder = new Recorder(audit, acting)
    const ofUser =
      (event: string, verb: (realmId: string, userId: string) => Promise<void>) =>
      async (realmId: string, userId: string): Promise<void> => {
        assertName(realmId, 'realmId')
        assertName(userId, 'userId')
        const action = { event, realm: realmId, records: [{ kind: 'user' as const, id: userId }] }
        await recorder.act(action, () => verb.call(state, realmId, userId))
      }
    const ofRealm =
      (event: string, verb: (realmId: string) => Promise<void>) =>
      async (realmId: string): Promise<void> => {
        assertName(realmId, 'realmId')
        await recorder.act({ event, realm: realmId }, () => verb.call(state, realmId))
      }
    return {
      sessions: sessionOperations(state, references, recorder),
      failures: failureOperations(state, recorder),
      tokens: tokenOperations(state, references, recorder),
      caches: cacheOperations(state, recorder),
      cluster: clusterOperations(state),
      sites: siteOperations(state, recorder),
      audit: recorder.operations,
      as(other) {
        assertActor(other, 'actor')
        return operationsFor(other)
      },
      hasReferences: references.areMade,
      async realms() {
        const known = typeof realms === 'function' ? await realms() : realms
        for (const realm of known) assertName(realm, 'realms')
        return [...known]
      },
      endUser: ofUser('user.end', state.endUser),
      forgetUser: ofUser('user.forget', state.forgetUser),
      removeRealm: ofRealm('realm.remove', state.removeRealm),
      realmChanged: ofRealm('realm.changed', state.realmChanged),
      configuration: () => state.describe(),
      health: () => state.health(),
      stats: () => state.stats(),
    }
  }
  return operationsFor(actor)
}

const APPLICATION: AuditActor = { name: 'application', via: 'api' }
const ACTOR: Known<AuditActor> = { name: true, via: true }

function assertActor(actor: AuditActor, name: string): void {
  assertOptions(actor, name, ACTOR)
  assertName(actor.name, `${name}.name`)
  assertOneOf(actor.via, `${name}.via`, ['api', 'command', 'console'])
}
