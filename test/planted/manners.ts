import { loginFailureSuite } from '../../packages/login-failure/src/conformance.js'
import { memoryLoginFailures } from '../../packages/login-failure/src/index.js'
import { inMemory } from './plant.js'

/** Where no case looks for a mistake: what the kit finds in whatever case is played. */
export const mannersBugs = inMemory(loginFailureSuite, memoryLoginFailures, (plant) => {
  const none = 'get: looking does not extend, a failure does'
  plant(
    'manners',
    'a record that is handed out is the very one that is kept',
    none,
    (real) => {
      const kept = new Map<string, object>()
      return {
        get: async (realmId, userId) => {
          const found = await real.get(realmId, userId)
          const name = JSON.stringify([realmId, userId])
          const own = kept.get(name)
          if (found === undefined) return undefined
          if (own !== undefined) return Object.assign(own, found)
          kept.set(name, found)
          return found
        },
      }
    },
    { throws: /get hands out an object that get handed out before/ },
  )
  plant(
    'manners',
    'an id of a user is logged',
    none,
    (real, { context }) => ({
      recordFailure: (realmId, userId, options) => {
        context.logger.info({ userId }, 'a failure was counted')
        return real.recordFailure(realmId, userId, options)
      },
    }),
    { throws: /a log entry holds an id, a token or a value of the case/ },
  )
  plant(
    'manners',
    'an id of a user is in an error',
    none,
    (real) => ({
      recordFailure: async (realmId, userId, options) => {
        const outcome = await real.recordFailure(realmId, userId, options)
        if (outcome.numFailures > 0) throw new Error(`"${userId}" is locked`)
        return outcome
      },
    }),
    { throws: /throws an error whose text holds an id, a token or a value of the case/ },
  )
  plant(
    'manners',
    'the log of the case stays empty: the provider writes to another one',
    'on: a listener that fails harms nobody, and stops when told',
    (real) => ({
      on: (event, listener) =>
        real.on(event, (heard) => {
          try {
            Promise.resolve(listener(heard)).catch(() => {})
          } catch {
            // What another logger would say.
          }
        }),
    }),
  )
  const kept = new Map<string, number>()
  plant(
    'manners',
    'what was counted once is remembered for ever, in a store that is not ours',
    none,
    (real) => ({
      recordFailure: (realmId, userId, options) => {
        kept.set(JSON.stringify([realmId, userId]), kept.size)
        return real.recordFailure(realmId, userId, options)
      },
    }),
    { size: () => kept.size, throws: /the store grows without bound: .* held 1, then 2, then 3 entries/ },
  )
  plant('manners', 'a verb of the contract is missing', none, () => ({}), {
    lacks: ['removeByRealm'],
    throws: /^Error: the provider lacks the method removeByRealm; no case was run$/,
  })
})
