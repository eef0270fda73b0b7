import type { ActionTokenProvider } from '@authstate/action-token'
import { allItems, assertText } from '@authstate/spi'
import type { WebSession, WebSessionProvider } from '@authstate/web-session'
import { checkOptions, type StorageOptions, type StorageState } from './options.js'
import { mergeParts, type Stored } from './parts.js'
import { endOf, isList, nameOf, placeOf, type SessionFields, sessionIn, userOfSession } from './shapes.js'

/** What was stored otherwise than better-auth may think, since the storage was made. */
export interface StorageCounts {
  /** Sessions that were to be saved after they had ended: they stay ended. */
  readonly refused: number
  /** Values of a form that this package does not know. They are kept as they are, and belong to no user. */
  readonly unknown: number
  /** Values without an end, which got `untimedMs`. */
  readonly untimed: number
}

/** A living session of a user. */
export interface UserSession {
  readonly token: string
  /** Ms since the epoch, as are the others. */
  readonly createdAt: number
  /** When it was changed last. */
  readonly savedAt: number
  readonly expiresAt: number
  /** As better-auth stored it: its `ipAddress`, `userAgent` and own fields. */
  readonly session: SessionFields
}

/** What better-auth calls: its `SecondaryStorage`, and more for your application. */
export interface SecondaryStorage {
  /** The value of a key, `null` when there is none. */
  get(key: string): Promise<string | null>
  /** Stores a value. A session that was ended stays ended. @param ttl Seconds; 0 or less: the key is deleted. */
  set(key: string, value: string, ttl?: number | undefined): Promise<void>
  /** Forgets a key. A session that it names is ended, and no late save brings it back. */
  delete(key: string): Promise<void>
  /** The value for one caller, and forgets it: of N at once exactly one gets it, the others `null`. */
  getAndDelete(key: string): Promise<string | null>
  /** Counts: 1 for the first in a window of `ttl` seconds, which no later call moves. */
  increment(key: string, ttl: number): Promise<number>
  /** The living sessions of a user: for a page of devices. */
  sessionsOf(userId: string): Promise<UserSession[]>
  /**
   * Ends all sessions of a user, and refuses sign-ins under way.
   *
   * @param options.except The token of the session that stays.
   * @returns how many were alive
   */
  endSessions(userId: string, options?: { readonly except?: string | undefined }): Promise<number>
  /** What was stored otherwise than better-auth may think. */
  counts(): StorageCounts
}

const COUNTER = 'counter'

/**
 * Storage for `betterAuth({ secondaryStorage })`.
 *
 * Errors of the store go to better-auth: a session that cannot be read is not treated as missing.
 *
 * @param state What `createAuthState` answers. The storage does not close it.
 * @throws {TypeError | RangeError} an option is wrong
 * @throws {ConfigurationError} a span is longer than the `limits` of web-session or action-token allow
 */
export function secondaryStorage(state: StorageState, options: StorageOptions = {}): SecondaryStorage {
  const { realmId, untimedMs } = checkOptions(options, state)
  const sessions = new SessionPart(realmId, state.webSessions)
  const values = new ValuePart(realmId, state.actionTokens)
  const { actionTokens } = state
  const counts = { refused: 0, unknown: 0, untimed: 0 }

  const storage: SecondaryStorage = {
    async get(key) {
      const where = checkedPlace(key)
      // A list of a form that is not known was stored by a better-auth that knows it.
      if (where.place === 'list')
        return first(await Promise.all([values.get('data', key), sessions.list(where.userId)]))
      const session = where.isToken ? await sessions.get(key) : null
      return session ?? values.get(where.kind, key)
    },

    async set(key, value, ttl) {
      const where = checkedPlace(key)
      assertText(value, 'value')
      const lifespanMs = spanOf(ttl) ?? untimedMs
      if (lifespanMs <= 0) return storage.delete(key)
      if (ttl === undefined) counts.untimed++
      if (where.place === 'list') {
        // The list is exact by itself. What another version of better-auth kept there is gone with this write.
        if (isList(value)) return values.remove('data', key)
      } else if (where.isToken) {
        const userId = userOfSession(key, value)
        if (userId !== undefined) {
          if (!(await sessions.save(key, value, { lifespanMs, userId }))) counts.refused++
          return
        }
      }
      const kind = where.place === 'list' ? 'data' : where.kind
      await values.put(kind, key, value, lifespanMs)
      if (where.place === 'list' || !where.isKnown) counts.unknown++
    },

    async delete(key) {
      const where = checkedPlace(key)
      const kind = where.place === 'list' ? 'data' : where.kind
      const isToken = where.place === 'value' && where.isToken
      await Promise.all([values.remove(kind, key), isToken && sessions.remove(key)])
    },

    async getAndDelete(key) {
      const where = checkedPlace(key)
      if (where.place === 'list') return values.take('data', key)
      const session = where.isToken ? await sessions.get(key) : null
      if (session === null) return values.take(where.kind, key)
      return (await sessions.remove(key)) ? session : null
    },

    async increment(key, ttl) {
      checkedPlace(key)
      if (!Number.isInteger(ttl) || ttl <= 0) throw new TypeError('"ttl" must be whole seconds above 0')
      const window = { windowMs: ttl * SECOND_MS }
      return (await actionTokens.countUse(realmId, COUNTER, nameOf(key), window)).count
    },

    sessionsOf: (userId) => sessions.of(userId),
    endSessions: (userId, of) => state.webSessions.removeByUser(realmId, userId, of),
    counts: () => ({ ...counts }),
  }
  return storage
}

const SECOND_MS = 1_000

/** Under this name a value lies in the data of a session, or of a token. */
const VALUE = 'v'
/** And under this one, digests of the parts that a session had before. */
const EARLIER = 'e'

/** Of concurrent writes one succeeds in each round: so many concurrent writes of one session do not occur. */
const MAX_TRIES = 100

function storedIn({ data }: WebSession): Stored | undefined {
  const { [VALUE]: value, [EARLIER]: earlier = [] } = data
  if (typeof value !== 'string' || !Array.isArray(earlier)) return undefined
  return { value, earlier: earlier.filter((digest): digest is string => typeof digest === 'string') }
}

/** @returns `undefined` where none is given */
function spanOf(ttl: unknown): number | undefined {
  if (ttl === undefined || ttl === null) return undefined
  if (typeof ttl !== 'number' || Number.isNaN(ttl)) throw new TypeError('"ttl" must be a number of seconds')
  return Math.ceil(ttl * SECOND_MS)
}

function checkedPlace(key: unknown) {
  if (typeof key !== 'string') throw new TypeError('"key" must be a string')
  return placeOf(key)
}

const first = ([one, other]: [string | null, string | null]): string | null => one ?? other

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** The sessions of better-auth, under their tokens. */
class SessionPart {
  readonly #realmId: string
  readonly #sessions: WebSessionProvider

  constructor(realmId: string, sessions: WebSessionProvider) {
    this.#realmId = realmId
    this.#sessions = sessions
  }

  async get(token: string): Promise<string | null> {
    return textOf((await this.#sessions.get(this.#realmId, token))?.data[VALUE])
  }

  /** @returns whether it was stored: not when the session ended meanwhile */
  async save(
    token: string,
    value: string,
    { lifespanMs, userId }: { readonly lifespanMs: number; readonly userId: string },
  ): Promise<boolean> {
    for (let tries = 0; ; tries++) {
      const before = await this.#sessions.get(this.#realmId, token)
      const stored = before && storedIn(before)
      if (before === undefined || stored === undefined || tries === MAX_TRIES) {
        const saved = { data: { [VALUE]: value }, lifespanMs, userId }
        return (await this.#sessions.save(this.#realmId, token, saved)).outcome === 'stored'
      }
      const { value: merged, earlier, keepsSession } = mergeParts(stored, value)
      const { outcome } = await this.#sessions.save(this.#realmId, token, {
        data: { [VALUE]: merged, [EARLIER]: [...earlier] },
        ...(keepsSession ? { expiresAt: before.expiresAt } : { lifespanMs }),
        userId,
        ifVersion: before.version,
      })
      if (outcome !== 'conflict') return outcome === 'stored'
    }
  }

  remove(token: string): Promise<boolean> {
    return this.#sessions.remove(this.#realmId, token)
  }

  async of(userId: string): Promise<UserSession[]> {
    const all = await allItems((page) => this.#sessions.listByUser(this.#realmId, userId, page))
    return all.map(({ id, data, createdAt, savedAt, expiresAt }) => {
      return { token: id, createdAt, savedAt, expiresAt, session: sessionIn(data[VALUE]) }
    })
  }

  /** As better-auth would have written it, by the clock of its host. */
  async list(userId: string): Promise<string | null> {
    const sessions = await this.of(userId)
    if (sessions.length === 0) return null
    const list = sessions.map(({ token, expiresAt, session }) => {
      return { token, expiresAt: endOf(session) ?? expiresAt }
    })
    return JSON.stringify(list.sort((one, other) => one.expiresAt - other.expiresAt))
  }
}

/** Whatever else better-auth stores, under the digests of its keys. */
class ValuePart {
  readonly #realmId: string
  readonly #tokens: ActionTokenProvider

  constructor(realmId: string, tokens: ActionTokenProvider) {
    this.#realmId = realmId
    this.#tokens = tokens
  }

  async get(kind: string, key: string): Promise<string | null> {
    return textOf((await this.#tokens.get(this.#realmId, kind, nameOf(key)))?.data[VALUE])
  }

  async put(kind: string, key: string, value: string, lifespanMs: number): Promise<void> {
    await this.#tokens.put(this.#realmId, kind, nameOf(key), { data: { [VALUE]: value }, lifespanMs })
  }

  async take(kind: string, key: string): Promise<string | null> {
    return textOf((await this.#tokens.take(this.#realmId, kind, nameOf(key)))?.data[VALUE])
  }

  async remove(kind: string, key: string): Promise<void> {
    await this.#tokens.remove(this.#realmId, kind, nameOf(key))
  }
}
