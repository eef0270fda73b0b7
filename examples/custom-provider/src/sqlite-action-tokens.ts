import { type ActionTokenProvider, actionTokenSpi, type UseCount } from '@authstate/action-token'
import {
  ActionTokens,
  type Attempt,
  actionTokenConfig,
  applyAttempt,
  countedUse,
  isListed,
  type Listed,
  mayReplace,
  type PutOptions,
  positionOf,
  type Revocation,
  type StoredToken,
  type TokenDraft,
  type TokenName,
  type TokenStore,
} from '@authstate/action-token/store'
import { type CheckedPage, comparePositions, FirstPositions, type ProviderFactory } from '@authstate/spi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import {
  nameIn,
  SqliteFile,
  type SqliteOptions,
  type SqliteSection,
  sqliteProperties,
  textOf,
} from './sqlite.js'

const config = v.strictObject({ ...actionTokenConfig.entries, ...sqliteProperties })

declare module 'authstate' {
  /** So that `createAuthState` knows the properties. */
  interface PluginProviders {
    'action-token/sqlite': SqliteSection
  }
}

/** Keeps tokens in a SQLite file: they survive a restart, and the processes of one machine share them. */
export function sqliteActionTokens(): ProviderFactory<ActionTokenProvider, v.InferOutput<typeof config>> {
  return {
    spi: actionTokenSpi,
    id: 'sqlite',
    config: toStandardJsonSchema(config),
    create: (context, properties) => new ActionTokens(context, properties, new SqliteTokens(properties)),
  }
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS tokens (
  name TEXT PRIMARY KEY, realm TEXT NOT NULL, family TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL,
  expiresAt INTEGER NOT NULL, consumedAt INTEGER, attempt TEXT, graceUntil INTEGER, successor TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS tokensByRealm ON tokens (realm);
CREATE INDEX IF NOT EXISTS tokensByFamily ON tokens (family);
CREATE INDEX IF NOT EXISTS tokensBySubject ON tokens (subject);
CREATE INDEX IF NOT EXISTS tokensByEnd ON tokens (expiresAt);
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, realm TEXT NOT NULL, expiresAt INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS marksByEnd ON marks (expiresAt);
CREATE TABLE IF NOT EXISTS counts (
  name TEXT PRIMARY KEY, realm TEXT NOT NULL, count INTEGER NOT NULL, resetsAt INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS countsByEnd ON counts (resetsAt);
`

const PUT = `
INSERT OR REPLACE INTO tokens (name, realm, family, subject, data, expiresAt)
VALUES (@name, @realm, @family, @subject, @data, @expiresAt)`

const CONSUME = `
UPDATE tokens SET consumedAt = @at, attempt = @attempt, graceUntil = @graceUntil, successor = @successor
WHERE name = @name`

const REPLACE = `
UPDATE tokens SET data = @data WHERE name = @name AND expiresAt > @now AND consumedAt IS NULL`

const MARK = `
INSERT INTO marks (name, realm, expiresAt) VALUES (@name, @realm, @until)
ON CONFLICT (name) DO UPDATE SET expiresAt = max(expiresAt, excluded.expiresAt)`

const COUNT = `
INSERT OR REPLACE INTO counts (name, realm, count, resetsAt) VALUES (@name, @realm, @count, @resetsAt)`

const ABOUT = `
SELECT * FROM tokens WHERE subject = @subject AND expiresAt >= @least ORDER BY expiresAt`

interface Row {
  readonly name: string
  readonly family: string
  readonly subject: string
  readonly data: string
  readonly expiresAt: number
  readonly consumedAt: number | null
  readonly attempt: string
  readonly graceUntil: number | null
  readonly successor: string
}

class SqliteTokens implements TokenStore {
  readonly #file: SqliteFile

  constructor(options: SqliteOptions) {
    this.#file = new SqliteFile(actionTokenSpi.name, options, SCHEMA)
  }

  async put(name: TokenName, token: TokenDraft, { now, goneBy, onlyAbsent }: PutOptions) {
    const { realmId } = name
    const { family, subject, data, expiresAt } = token
    return this.#file.step(() => {
      this.#file.prune('tokens', 'expiresAt', goneBy)
      if (!mayReplace(this.#find(name), now, onlyAbsent)) return false
      if (this.#markedUntil(familyMark(realmId, family)) > now) return false
      this.#file.change(PUT, {
        name: keyOf(name),
        realm: textOf(realmId),
        family: textOf(realmId, family),
        subject: textOf(realmId, subject),
        data,
        expiresAt,
      })
      return true
    })
  }

  async load(name: TokenName) {
    return this.#find(name)
  }

  async replace(name: TokenName, data: string, now: number) {
    return this.#file.change(REPLACE, { name: keyOf(name), data, now }) === 1
  }

  async consume(name: TokenName, attempt: Attempt) {
    return this.#file.step(() => {
      const { reply, consumption } = applyAttempt(this.#find(name), attempt)
      if (consumption !== undefined) {
        this.#file.change(CONSUME, {
          name: keyOf(name),
          at: consumption.at,
          attempt: textOf(consumption.attempt),
          graceUntil: consumption.graceUntil ?? null,
          successor: textOf(consumption.successor),
        })
      }
      return reply
    })
  }

  async remove(name: TokenName, now: number) {
    const sql = 'DELETE FROM tokens WHERE name = @name RETURNING expiresAt'
    const [removed] = this.#file.rows<Row>(sql, { name: keyOf(name) })
    return removed !== undefined && removed.expiresAt > now
  }

  async take(name: TokenName, now: number) {
    return this.#file.step(() => {
      const token = this.#find(name)
      if (token === undefined || token.expiresAt <= now || token.consumption !== undefined) return undefined
      this.#file.change('DELETE FROM tokens WHERE name = @name', { name: keyOf(name) })
      return token
    })
  }

  async countUse(name: TokenName, windowMs: number, now: number) {
    return this.#file.step(() => {
      this.#file.prune('counts', 'resetsAt', now)
      const sql = 'SELECT count, resetsAt FROM counts WHERE name = @name'
      const [before] = this.#file.rows<UseCount>(sql, { name: keyOf(name) })
      const { count, resetsAt } = countedUse(before, windowMs, now)
      this.#file.change(COUNT, { name: keyOf(name), realm: textOf(name.realmId), count, resetsAt })
      return { count, resetsAt }
    })
  }

  async revokeFamily(realmId: string, family: string, { until, consumed }: Revocation, now: number) {
    const members = textOf(realmId, family)
    return this.#file.step(() => {
      const withdrawn = this.#withdraw('family', members, now)
      if (consumed) this.#file.change('DELETE FROM tokens WHERE family = @members', { members })
      if (until === undefined) return withdrawn
      // What was consumed may be repeated by its attempt, and lead to more, for as long as it lives.
      const sql = 'SELECT max(expiresAt) AS expiresAt FROM tokens WHERE family = @members'
      const [left] = this.#file.rows<{ expiresAt: number | null }>(sql, { members })
      this.#mark(familyMark(realmId, family), realmId, Math.max(until, left?.expiresAt ?? 0), now)
      return withdrawn
    })
  }

  async listBySubject(
    realmId: string,
    subject: string,
    { limit, after, ...listed }: CheckedPage & Listed,
    now: number,
  ) {
    const rows = this.#file.rows<Row>(ABOUT, { subject: textOf(realmId, subject), least: after.score })
    const first = new FirstPositions<ReturnType<typeof positionOf> & { row: Row }>(limit + 1)
    for (const row of rows) {
      const [kind, key] = namesIn(row.name)
      if (!isListed(kind, tokenOf(row), listed, now)) continue
      const position = positionOf(kind, key, row.expiresAt)
      if (comparePositions(position, after) > 0) first.add({ ...position, row })
    }
    const found = first.inOrder()
    const shown = found.slice(0, limit)
    return {
      items: shown.map(({ row }) => {
        const [kind, key] = namesIn(row.name)
        return { kind, key, token: tokenOf(row) }
      }),
      end: found.length > limit ? shown.at(-1) : undefined,
    }
  }

  async removeBySubject(realmId: string, subject: string, now: number) {
    return this.#file.step(() => this.#withdraw('subject', textOf(realmId, subject), now))
  }

  async removeByRealm(realmId: string, now: number) {
    const realm = textOf(realmId)
    return this.#file.step(() => {
      const withdrawn = this.#withdraw('realm', realm, now)
      this.#file.change('DELETE FROM tokens WHERE realm = @realm', { realm })
      this.#file.change('DELETE FROM marks WHERE realm = @realm', { realm })
      this.#file.change('DELETE FROM counts WHERE realm = @realm', { realm })
      return withdrawn
    })
  }

  async revoke(realmId: string, tokenId: string, until: number, now: number) {
    this.#file.step(() => this.#mark(tokenMark(realmId, tokenId), realmId, until, now))
  }

  async revokedUntil(realmId: string, tokenId: string) {
    return this.#markedUntil(tokenMark(realmId, tokenId))
  }

  async checkHealth() {
    this.#file.rows('SELECT 1')
  }

  async close() {
    this.#file.close()
  }

  #find(name: TokenName): StoredToken | undefined {
    const [row] = this.#file.rows<Row>('SELECT * FROM tokens WHERE name = @name', { name: keyOf(name) })
    return row && tokenOf(row)
  }

  /** Removes what was not consumed. @returns how many of it had not ended */
  #withdraw(column: 'realm' | 'family' | 'subject', value: string, now: number): number {
    const sql = `DELETE FROM tokens WHERE ${column} = @value AND consumedAt IS NULL RETURNING expiresAt`
    return this.#file.rows<Row>(sql, { value }).filter(({ expiresAt }) => expiresAt > now).length
  }

  #mark(name: string, realmId: string, until: number, now: number): void {
    this.#file.prune('marks', 'expiresAt', now)
    this.#file.change(MARK, { name, realm: textOf(realmId), until })
  }

  #markedUntil(name: string): number {
    const [mark] = this.#file.rows<Row>('SELECT expiresAt FROM marks WHERE name = @name', { name })
    return mark?.expiresAt ?? 0
  }
}

function tokenOf({ data, expiresAt, consumedAt, graceUntil, ...row }: Row): StoredToken {
  const token = { data, expiresAt, family: nameIn(row.family), subject: nameIn(row.subject) }
  if (consumedAt === null) return token
  const [attempt, successor] = [nameIn(row.attempt), nameIn(row.successor)]
  return {
    ...token,
    consumption: { at: consumedAt, attempt, graceUntil: graceUntil ?? undefined, successor },
  }
}

const keyOf = ({ realmId, kind, key }: TokenName): string => textOf(realmId, kind, key)

/** Kind and key, by what {@link keyOf} answered. */
function namesIn(name: string): [kind: string, key: string] {
  const [, kind = '', key = ''] = JSON.parse(name) as string[]
  return [kind, key]
}

/** A family that is refused. Nobody can be told to refuse the family `''`, so what has none is never refused. */
const familyMark = (realmId: string, family: string): string => textOf(realmId, 'family', family)

/** A token id that is revoked. */
const tokenMark = (realmId: string, tokenId: string): string => textOf(realmId, 'token', tokenId)
