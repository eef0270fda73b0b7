import { assertOptions, randomId } from '@authstate/spi'
import type { Lifetime } from '../contract.js'
import { lifeUntil } from '../life.js'
import { snapshotOf } from '../snapshot.js'
import { isSessionId } from './cookie.js'
import { checkLife, LIFE, type Life, type SessionState } from './options.js'

/** How React Router keeps sessions whose id is in a cookie: its `SessionIdStorageStrategy`. */
export interface SessionStrategy<Data extends object> {
  /** Stores a new session. @returns its id */
  createData(data: Data, expires?: Date): Promise<string>
  /** The data of a session; `null` when there is none. */
  readData(id: string): Promise<Data | null>
  /** Saves a session that is there. One that was ended stays ended. */
  updateData(id: string, data: Data, expires?: Date): Promise<void>
  /** Ends a session. */
  deleteData(id: string): Promise<void>
}

/** How sessions are kept. */
export type SessionStrategyOptions<Data extends object> = Life<Data>

/**
 * A strategy for `createSessionStorage` of React Router and Remix, for an application that has one already. It signs nothing: give
 * the cookie `secrets`.
 *
 * That interface saves a session whole, so of two requests at once the later wins. `createSessions` keeps the changes of both.
 *
 * @throws {TypeError | RangeError} an option is unknown or wrong, or a session would live longer than `webSessions.limits` allow
 */
export function sessionStrategy<Data extends object = Record<string, unknown>>(
  state: SessionState,
  options: SessionStrategyOptions<Data> = {},
): SessionStrategy<Data> {
  assertOptions<SessionStrategyOptions<Data>>(options, 'options', LIFE)
  const { webSessions } = state
  const { realmId, lifespanMs, userIdOf, onRefused } = checkLife<Data>(options as Life<Data>, state)
  const save = async (id: string, given: Data, expires: Date | undefined, mustExist: boolean) => {
    const life: Lifetime = expires === undefined ? { lifespanMs } : lifeUntil(expires)
    const userId = userIdOf(given)
    const { data } = snapshotOf(given)
    const { outcome } = await webSessions.save(realmId, id, { data, ...life, userId, mustExist })
    // What has ended by its own end was not refused.
    if (outcome !== 'stored' && life.expiresAt === undefined) onRefused({ sessionId: id })
  }
  return {
    createData: async (data, expires) => {
      const id = randomId()
      await save(id, data, expires, false)
      return id
    },
    readData: async (id) => {
      const found = isSessionId(id) ? await webSessions.get(realmId, id) : undefined
      return found === undefined ? null : (found.data as Data)
    },
    updateData: async (id, data, expires) => {
      if (isSessionId(id)) await save(id, data, expires, true)
    },
    deleteData: async (id) => {
      if (isSessionId(id)) await webSessions.remove(realmId, id)
    },
  }
}
