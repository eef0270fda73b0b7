import type { PagePosition, ProviderFactory } from '@authstate/spi'
import { type UserSessionProvider, userSessionSpi } from '@authstate/user-session'
import {
  type DecodeSession,
  encodeSession,
  type Found,
  listingsOf,
  type Memo,
  type MemoResult,
  RecordStore,
  type SessionIndex,
  type SessionName,
  type SessionRecords,
  type StepReads,
  type StepResult,
  type StoredSession,
  UserSessions,
  userSessionConfig,
} from '@authstate/user-session/store'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import {
  nameIn,
  namesIn,
  SqliteFile,
  type SqliteOptions,
  type SqliteSection,
  sqliteProperties,
  textOf,
} from './sqlite.js'

const config = v.strictObject({ ...userSessionConfig.entries, ...sqliteProperties })

declare module 'authstate' {
  /** So that `createAuthState` knows the properties. */
  interface PluginProviders {
    'user-session/sqlite': SqliteSection
  }
}

/** Keeps sessions in a SQLite file: they survive a restart, and the processes of one machine share them. */
export function sqliteUserSessions(): ProviderFactory<UserSessionProvider, v.InferOutput<typeof config>> {
  return {
    spi: userSessionSpi,
    id: 'sqlite',
    config: toStandardJsonSchema(config),
    create: (context, properties) =>
      new UserSessions(
        context,
        properties,
        (parts) => new RecordStore(parts, (decode) => new SqliteSessions(properties, decode)),
      ),
  }
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS sessions (
  name TEXT PRIMARY KEY, record TEXT NOT NULL, expiresAt INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS sessionsByEnd ON sessions (expiresAt);
CREATE TABLE IF NOT EXISTS listings (
  kind TEXT NOT NULL, name TEXT NOT NULL, score INTEGER NOT NULL, id TEXT NOT NULL, session TEXT NOT NULL,
  PRIMARY KEY (kind, name, score, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS listingsOfSession ON listings (session);
CREATE TABLE IF NOT EXISTS memos (name TEXT PRIMARY KEY, value TEXT NOT NULL, expiresAt INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS memosByEnd ON memos (expiresAt);
`

const STORE =
  'INSERT OR REPLACE INTO sessions (name, record, expiresAt) VALUES (@session, @record, @expiresAt)'

const ENTER =
  'INSERT INTO listings (kind, name, score, id, session) VALUES (@kind, @name, @score, @id, @session)'

const LIST = `
SELECT score, id, record FROM listings JOIN sessions ON sessions.name = listings.session
WHERE kind = @kind AND listings.name = @name AND (score, id) > (@score, @id) ORDER BY score, id LIMIT @limit`

const LISTINGS = 'SELECT kind, name, kind || name AS listing, score FROM listings WHERE session = @session'

const LEAVE = 'DELETE FROM listings WHERE kind = @kind AND name = @name AND score = @score AND id = @id'

const LIVING = 'FROM listings WHERE kind = @kind AND name = @name AND score > @now'

const REMEMBER = 'INSERT OR REPLACE INTO memos (name, value, expiresAt) VALUES (@name, @value, @expiresAt)'

interface ListingRow {
  readonly kind: string
  readonly name: string
  readonly listing: string
  readonly score: number
}

/** More than a user has. */
const ALL = Number.MAX_SAFE_INTEGER

/** The database answers at once, so that no verb needs a promise here. */
class SqliteSessions implements SessionRecords {
  readonly #file: SqliteFile
  readonly #decode: DecodeSession

  constructor(options: SqliteOptions, decode: DecodeSession) {
    this.#decode = decode
    this.#file = new SqliteFile(userSessionSpi.name, options, SCHEMA)
  }

  read(name: SessionName) {
    return this.#load(name)
  }

  change<T>(reads: StepReads, step: (found: Found) => StepResult<T>) {
    return this.#file.step(() => {
      const result = step(this.#find(reads))
      for (const { session } of result.ends ?? []) this.#remove(session)
      for (const name of result.drops ?? []) this.#remove(name)
      for (const session of result.keeps ?? []) this.#store(session)
      return result
    })
  }

  remember<T>(names: readonly string[], step: (memos: readonly (Memo | undefined)[]) => MemoResult<T>) {
    return this.#file.step(() => {
      const { answer, memo } = step(names.map((name) => this.#memo(name)))
      if (memo !== undefined) {
        const values = {
          name: names[0] as string,
          value: JSON.stringify(memo.value),
          expiresAt: memo.expiresAt,
        }
        this.#file.change(REMEMBER, values)
      }
      return answer
    })
  }

  list(index: SessionIndex, after: PagePosition, limit: number) {
    return this.#list(index, after, limit)
  }

  count(index: SessionIndex, now: number) {
    const [row] = this.#file.rows<{ count: number }>(`SELECT count(*) AS count ${LIVING}`, {
      ...listingOf(index),
      now,
    })
    return row?.count ?? 0
  }

  ids(index: SessionIndex, now: number) {
    const rows = this.#file.rows<{ id: string }>(`SELECT id ${LIVING}`, { ...listingOf(index), now })
    return rows.map(({ id }) => id)
  }

  clientCounts(realmId: string, offline: boolean, now: number) {
    const sql =
      'SELECT name, count(*) AS count FROM listings WHERE kind = @kind AND score > @now GROUP BY name'
    const kind = kindOf(realmId, offline, 'client')
    const rows = this.#file.rows<{ name: string; count: number }>(sql, { kind, now })
    return rows.map(({ name, count }) => [nameIn(name), count] as const)
  }

  over(now: number, limit: number): SessionName[] {
    const sql = 'SELECT name FROM sessions WHERE expiresAt <= @now LIMIT @limit'
    return this.#file.rows<{ name: string }>(sql, { now, limit }).map(({ name }) => sessionIn(name))
  }

  forget(now: number) {
    this.#file.change('DELETE FROM memos WHERE expiresAt <= @now', { now })
  }

  close() {
    this.#file.close()
  }

  #find(reads: StepReads): Found {
    const { realmId, id } = reads
    const session = this.#load(reads)
    const userId = reads.userId ?? session?.core.userId
    if (userId === undefined) return { session, copy: undefined, rivals: [], memos: [] }
    const ofUser = (offline: boolean) => {
      const listed = this.#list(
        { realmId, offline, kind: 'user', name: userId },
        { score: reads.now, id: LAST },
        ALL,
      )
      return listed.flatMap(({ session: rival }) => rival ?? [])
    }
    return {
      session,
      copy: reads.copy ? this.#load({ realmId, id, offline: true }) : undefined,
      rivals: reads.rivals ? [...ofUser(false), ...ofUser(true)] : [],
      memos: reads.memos ? reads.memos(userId).map((name) => this.#memo(name)) : [],
    }
  }

  #load(name: SessionName): StoredSession | undefined {
    const sql = 'SELECT record FROM sessions WHERE name = @session'
    const [row] = this.#file.rows<{ record: string }>(sql, { session: sessionOf(name) })
    return row && this.#decode(row.record)
  }

  #list(index: SessionIndex, { score, id }: PagePosition, limit: number) {
    const values = { ...listingOf(index), score, id, limit }
    const rows = this.#file.rows<PagePosition & { record: string }>(LIST, values)
    return rows.map(({ record, ...place }) => ({ ...place, session: this.#decode(record) }))
  }

  #memo(name: string): Memo | undefined {
    const sql = 'SELECT value, expiresAt FROM memos WHERE name = @name'
    const [row] = this.#file.rows<{ value: string; expiresAt: number }>(sql, { name })
    return row && { value: JSON.parse(row.value), expiresAt: row.expiresAt }
  }

  #store(stored: StoredSession): void {
    const { realmId, offline, id, expiresAt } = stored
    const session = sessionOf(stored)
    this.#file.change(STORE, { session, record: encodeSession(stored), expiresAt })
    const before = new Map(
      this.#file.rows<ListingRow>(LISTINGS, { session }).map((row) => [row.listing, row]),
    )
    for (const { kind, name, score } of listingsOf(stored)) {
      const listing = listingOf({ realmId, offline, kind, name })
      const entered = before.get(listing.kind + listing.name)
      if (entered?.score === score) before.delete(listing.kind + listing.name)
      else this.#file.change(ENTER, { ...listing, score, id, session })
    }
    // Where it stands no more, or with another score.
    for (const { kind, name, score } of before.values()) this.#file.change(LEAVE, { kind, name, score, id })
  }

  #remove(name: SessionName): void {
    const session = sessionOf(name)
    this.#file.change('DELETE FROM listings WHERE session = @session', { session })
    this.#file.change('DELETE FROM sessions WHERE name = @session', { session })
  }
}

/** Behind every id of ours. */
const LAST = '~'

const sessionOf = ({ realmId, offline, id }: SessionName): string => textOf(realmId, String(offline), id)

function sessionIn(text: string): SessionName {
  const [realmId = '', offline, id = ''] = namesIn(text)
  return { realmId, offline: offline === 'true', id }
}

const kindOf = (realmId: string, offline: boolean, kind: SessionIndex['kind']): string =>
  textOf(realmId, String(offline), kind)

const listingOf = ({ realmId, offline, kind, name }: SessionIndex) => ({
  kind: kindOf(realmId, offline, kind),
  name: textOf(name),
})
